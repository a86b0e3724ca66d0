"""Embedding slots: small numbers by which networks tell persons apart, lent for a life and rested before the next."""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit

TAKEN = -1
FORCED = int(Event.SLOT_REUSE_FORCED)


@kernel
def _longest_free(common):  # type: ignore[no-untyped-def]
    """Return the free slot that has rested longest, of those that were used before."""
    oldest = -1
    for slot in range(common.slots_used):
        freed = common.slot_freed[slot]
        if freed != TAKEN and (oldest < 0 or freed < common.slot_freed[oldest]):
            oldest = slot
    return oldest


@kernel
def _reuse(town, rules, i):  # type: ignore[no-untyped-def]
    """Return a slot to use again; one that has not rested long enough is counted as forced."""
    common, scalars, slot = town.common, rules.scalars[0], _longest_free(town.common)
    rested = common.tick - common.slot_freed[slot]
    if rested < scalars.slot_cooldown:
        common.slots_forced += 1
        if scalars.log_forced:
            emit(common, town.log, FORCED, i, -1, -1, rested)
    return slot


@kernel
def take_slot(town, rules, i):  # type: ignore[no-untyped-def]
    """Give agent ``i`` a slot to keep while it lives here: one that nobody has had yet, else one that has rested."""
    common = town.common
    if common.slots_used < rules.scalars[0].slots:
        slot = common.slots_used
        common.slots_used += 1
    else:
        slot = _reuse(town, rules, i)
    common.slot_freed[slot] = TAKEN
    common.slots_given += 1
    town.agents[i].slot = slot


@kernel
def free_slot(common, agent):  # type: ignore[no-untyped-def]
    """Take an agent's slot back."""
    common.slot_freed[agent.slot] = common.tick
