"""The social part of an observation: one's personality, one's closest friends and keenest rivals."""

from townlet_core.kernels import kernel
from townlet_core.world.rules import RELATIONSHIP_STAGES
from townlet_core.world.state import NOBODY, TRAITS

OBSERVED = RELATIONSHIP_STAGES.index("B")
PER_TIE = 8
MOST = 1e9


@kernel
def _liking(tie):  # type: ignore[no-untyped-def]
    return tie.trust + tie.familiarity


@kernel
def is_friend(tie):  # type: ignore[no-untyped-def]
    """Say whether a tie is friendly: liking outweighs rivalry."""
    return _liking(tie) > tie.rivalry


@kernel
def next_in_circle(ties, i, friends, score, slot):  # type: ignore[no-untyped-def]
    """Return the tie of agent ``i`` that comes after the one in ``slot`` with ``score``, as (slot, score).

    Friends are ties whose liking outweighs their rivalry, in order of liking; the others are rivals, in order of
    rivalry. The lower slot comes first where two are equal. (-1, -1e9) when there is no further one.
    """
    best, most = -1, -MOST
    for k in range(ties.shape[1]):
        tie = ties[i, k]
        if tie.other == NOBODY or is_friend(tie) != friends:
            continue
        own = _liking(tie) if friends else tie.rivalry
        if (own < score or (own == score and k > slot)) and own > most:
            best, most = k, own
    return best, most


@kernel
def _write_tie(agents, me, tie, scalars, out, k):  # type: ignore[no-untyped-def]
    other, half = agents[tie.other], scalars.window // 2
    dy, dx = int(other.y) - int(me.y), int(other.x) - int(me.x)
    near = abs(dy) <= half and abs(dx) <= half
    out[k] = 1.0
    out[k + 1] = other.slot / scalars.slots
    out[k + 2] = tie.trust
    out[k + 3] = tie.familiarity
    out[k + 4] = tie.rivalry
    out[k + 5] = 1.0 if near else 0.0
    out[k + 6] = dy / half if near else 0.0
    out[k + 7] = dx / half if near else 0.0


@kernel
def _write_stranger(out, k):  # type: ignore[no-untyped-def]
    for position in range(PER_TIE):
        out[k + position] = 0.0


@kernel
def _write_circle(agents, ties, i, friends, size, scalars, out, k):  # type: ignore[no-untyped-def]
    """Write the ``size`` foremost friends or rivals; zeros where there are fewer."""
    slot, score = -1, MOST
    for rank in range(size):
        if rank == 0 or slot >= 0:
            slot, score = next_in_circle(ties, i, friends, score, slot)
        if slot >= 0:
            _write_tie(agents, agents[i], ties[i, slot], scalars, out, k)
        else:
            _write_stranger(out, k)
        k += PER_TIE
    return k


@kernel
def _write_standing(ties, i, out, k):  # type: ignore[no-untyped-def]
    count, trust, rivalry, most_trust, most_rivalry = 0, 0.0, 0.0, 0.0, 0.0
    for slot in range(ties.shape[1]):
        tie = ties[i, slot]
        if tie.other != NOBODY:
            count += 1
            trust += tie.trust
            rivalry += tie.rivalry
            most_trust = max(most_trust, tie.trust)
            most_rivalry = max(most_rivalry, tie.rivalry)
    out[k] = trust / max(count, 1)
    out[k + 1] = most_trust
    out[k + 2] = rivalry / max(count, 1)
    out[k + 3] = most_rivalry
    return k + 4


@kernel
def write_social(town, rules, i, out, k):  # type: ignore[no-untyped-def]
    """Write the character, circle and standing blocks from position ``k``, where ties are seen at all."""
    agent, scalars = town.agents[i], rules.scalars[0]
    if scalars.relationship_stage < OBSERVED:
        return k
    for trait in range(TRAITS):
        if scalars.traits[trait]:
            out[k] = agent.personality[trait]
            k += 1
    out[k] = 1.0 if town.common.tick >= agent.chat_ready_at else 0.0
    k = _write_circle(town.agents, town.ties, i, True, scalars.top_friends, scalars, out, k + 1)
    k = _write_circle(town.agents, town.ties, i, False, scalars.top_rivals, scalars, out, k)
    return _write_standing(town.ties, i, out, k) if scalars.sees_standing else k
