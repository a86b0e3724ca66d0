"""The social part of an observation: one's personality, one's closest friends and keenest rivals."""

from townlet_core.kernels import kernel
from townlet_core.observations.layout import CIRCLE
from townlet_core.world.state import NOBODY

PER_TIE = 7


@kernel
def _liking(tie):  # type: ignore[no-untyped-def]
    return tie.trust + tie.familiarity


@kernel
def rank_of(town, i, k, friends):  # type: ignore[no-untyped-def]
    """Return how many ties of agent ``i`` come before slot ``k`` among its friends, or among its rivals.

    Friends are ties whose trust and familiarity outweigh their rivalry, in order of liking; the others are rivals,
    in order of rivalry. The lower slot comes first where two are equal.
    """
    mine = town.ties[i, k]
    ahead = 0
    for other in range(town.ties.shape[1]):
        tie = town.ties[i, other]
        if other == k or tie.other == NOBODY or is_friend(tie) != friends:
            continue
        more = _liking(tie) - _liking(mine) if friends else tie.rivalry - mine.rivalry
        ahead += more > 0 or (more == 0 and other < k)
    return ahead


@kernel
def is_friend(tie):  # type: ignore[no-untyped-def]
    """Say whether a tie is friendly: liking outweighs rivalry."""
    return _liking(tie) > tie.rivalry


@kernel
def _write_tie(town, rules, i, k, out, at):  # type: ignore[no-untyped-def]
    me, tie = town.agents[i], town.ties[i, k]
    other, half = town.agents[tie.other], rules.scalars[0].window // 2
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
def _write_means(town, i, out, at):  # type: ignore[no-untyped-def]
    count, trust, rivalry, most_trust, most_rivalry = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(town.ties.shape[1]):
        tie = town.ties[i, k]
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
    agent = town.agents[i]
    for trait in range(3):
        out[at + trait] = agent.personality[trait]
    out[at + 3] = 1.0 if town.common.tick >= agent.chat_ready_at else 0.0
    at += 4
    for position in range(2 * CIRCLE * PER_TIE):
        out[at + position] = 0.0
    for k in range(town.ties.shape[1]):
        tie = town.ties[i, k]
        if tie.other != NOBODY:
            friendly = is_friend(tie)
            rank = rank_of(town, i, k, friendly)
            if rank < CIRCLE:
                _write_tie(town, rules, i, k, out, at + (rank + (0 if friendly else CIRCLE)) * PER_TIE)
    _write_means(town, i, out, at + 2 * CIRCLE * PER_TIE)
