"""Ties: looking up what one agent feels about another.

These take the ties alone and not the whole town: a call that is not inlined then costs little.
"""

from townlet_core.kernels import kernel
from townlet_core.world.state import NOBODY


@kernel
def slot_of(ties, i, j):  # type: ignore[no-untyped-def]
    """Return the slot of agent ``i``'s tie to ``j`` in ``ties`` [N, K], or -1."""
    for k in range(ties.shape[1]):
        if ties[i, k].other == j:
            return k
    return -1


@kernel
def is_rival(ties, i, j, threshold):  # type: ignore[no-untyped-def]
    """Say whether ``i`` feels at least ``threshold`` of rivalry towards ``j``; nobody is nobody's rival."""
    if j in (NOBODY, i):
        return False
    k = slot_of(ties, i, j)
    return k >= 0 and ties[i, k].rivalry >= threshold
