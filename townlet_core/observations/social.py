"""The social part of an observation: one's personality, one's closest friends and keenest rivals."""

from townlet_core.kernels import kernel
from townlet_core.observations.layout import CIRCLE
from townlet_core.world.state import NOBODY

PER_TIE = 7


@kernel
def _liking(tie):  # type: ignore[no-untyped-def]
    return tie.trust + tie.familiarity


@kernel
def is_friend(tie):  # type: ignore[no-untyped-def]
    """Say whether a tie is friendly: liking outweighs rivalry."""
    return _liking(tie) > tie.rivalry


@kernel
def closest_two(ties, i, friends):  # type: ignore[no-untyped-def]
    """Return the slots of agent ``i``'s two closest friends, or two keenest rivals; -1 where there are fewer.

    Friends are ties whose liking outweighs their rivalry, in order of liking; the others are rivals, in order of
    rivalry. The lower slot comes first where two are equal.
    """
    first, second, most, next_most = -1, -1, -1e9, -1e9
    for k in range(ties.shape[1]):
        tie = ties[i, k]
        if tie.other == NOBODY or is_friend(tie) != friends:
            continue
        score = _liking(tie) if friends else tie.rivalry
        if score > most:
            first, second, most, next_most = k, first, score, most
        elif score > next_most:
            second, next_most = k, score
    return first, second


@kernel
def _write_tie(agents, me, tie, half, out, at):  # type: ignore[no-untyped-def]
    other = agents[tie.other]
    dy, dx = int(other.y) - int(me.y), int(other.x) - int(me.x)
    near = abs(dy) <= half and abs(dx) <= half
    out[at] = 1.0
    out[at + 1] = tie.trust
    out[at + 2] = tie.familiarity
    out[at + 3] = tie.rivalry
    out[at + 4] = 1.0 if near else 0.0
    out[at + 5] = dy / half if near else 0.0
    out[at + 6] = dx / half if near else 0.0


@kernel
def _write_means(ties, i, out, at):  # type: ignore[no-untyped-def]
    count, trust, rivalry, most_trust, most_rivalry = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(ties.shape[1]):
        tie = ties[i, k]
        if tie.other != NOBODY:
            count += 1
            trust += tie.trust
            rivalry += tie.rivalry
            most_trust = max(most_trust, tie.trust)
            most_rivalry = max(most_rivalry, tie.rivalry)
    out[at] = trust / max(count, 1)
    out[at + 1] = most_trust
    out[at + 2] = rivalry / max(count, 1)
    out[at + 3] = most_rivalry


@kernel
def write_social(town, rules, i, out, at):  # type: ignore[no-untyped-def]
    """Write the social features of agent ``i`` from position ``at``, in the order of ``layout``."""
    agent, half = town.agents[i], rules.scalars[0].window // 2
    for trait in range(3):
        out[at + trait] = agent.personality[trait]
    out[at + 3] = 1.0 if town.common.tick >= agent.chat_ready_at else 0.0
    at += 4
    for position in range(2 * CIRCLE * PER_TIE):
        out[at + position] = 0.0
    for friends in range(2):
        start = at + (0 if friends else CIRCLE) * PER_TIE
        first, second = closest_two(town.ties, i, friends == 1)
        if first >= 0:
            _write_tie(town.agents, agent, town.ties[i, first], half, out, start)
        if second >= 0:
            _write_tie(town.agents, agent, town.ties[i, second], half, out, start + PER_TIE)
    _write_means(town.ties, i, out, at + 2 * CIRCLE * PER_TIE)
