"""People: what those are called who live in a town, and how many there may be."""

from townlet_core.config import TownConfig


def person_names(people: int) -> tuple[str, ...]:
    """Name persons in the order of their numbers: founders first, then newcomers as they come."""
    return tuple(f"agent_{person + 1}" for person in range(people))


def most_people(config: TownConfig) -> int:
    """Return how many persons an episode can see at most, founders and newcomers."""
    return config.agents + most_newcomers(config)


def most_newcomers(config: TownConfig) -> int:
    """Return how many newcomers an episode can see at most: as many as there can be exits early enough before its end.

    The exits of each day that the episode touches are capped, and lie a pause apart; without either, every place can
    be left and taken again as quickly as newcomers come.
    """
    life, clock = config.lifecycle, config.clock
    if not (life.enabled and life.arrivals.enabled):
        return 0
    ticks = clock.episode_days * clock.ticks_per_day
    quickest = config.agents * (ticks // (life.arrivals.delay_ticks[0] + 1) + 1)
    bounds = [quickest]
    if life.exit_cooldown_ticks > 0:
        bounds.append(ticks // life.exit_cooldown_ticks + 1)
    if life.exits_per_day > 0:
        days = (clock.start_tick + ticks) // clock.ticks_per_day + 1
        bounds.append(life.exits_per_day * days)
    return min(bounds)
