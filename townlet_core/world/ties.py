"""Ties: looking up what one agent feels about another."""

from townlet_core.kernels import kernel
from townlet_core.world.state import NOBODY


@kernel
def slot_of(town, i, j):  # type: ignore[no-untyped-def]
    """Return the slot of agent ``i``'s tie to ``j``, or -1."""
    for k in range(town.ties.shape[1]):
        if town.ties[i, k].other == j:
            return k
    return -1


@kernel
def rivalry_of(town, i, j):  # type: ignore[no-untyped-def]
    """Return the rivalry that ``i`` feels towards ``j``, 0..1."""
    k = slot_of(town, i, j)
    return town.ties[i, k].rivalry if k >= 0 else 0.0


@kernel
def is_avoided(town, rules, i, j):  # type: ignore[no-untyped-def]
    """Say whether ``i`` keeps out of the way of ``j``; nobody avoids nobody."""
    if j in (NOBODY, i) or town.ties.shape[1] == 0:
        return False
    return rivalry_of(town, i, j) >= rules.scalars[0].avoid_threshold
