"""City events: whether anything out of the ordinary lasts in a town, for those who must take it into account."""

from townlet_core.kernels import kernel
from townlet_core.world.state import EVENT_LASTING


@kernel
def events_lasting(common):  # type: ignore[no-untyped-def]
    """Return how many perturbations last now."""
    count = 0
    for slot in range(common.event_phase.shape[0]):
        count += common.event_phase[slot] == EVENT_LASTING
    return count


@kernel
def in_city_event(town):  # type: ignore[no-untyped-def]
    """Say whether a perturbation lasts, or ended less than the grace window ago; planned outages do not count."""
    return events_lasting(town.common) > 0 or town.common.tick < town.common.event_grace_until
