"""City events: whether anything out of the ordinary lasts in a town, for those who must take it into account."""

from townlet_core.kernels import kernel


@kernel
def in_city_event(town):  # type: ignore[no-untyped-def]
    """Say whether a perturbation lasts, or ended less than the grace window ago; planned outages do not count."""
    return town.common.events_lasting > 0 or town.common.tick < town.common.event_grace_until
