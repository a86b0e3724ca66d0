"""Verdicts: the conditions under which a life in the town ends, each a plain statement about one citizen."""

from townlet_core.kernels import kernel
from townlet_core.world.city import in_city_event
from townlet_core.world.state import (
    AGED_OUT,
    COLLAPSED,
    ENERGY,
    EVICTED,
    EXPOSED,
    FAINTED,
    HUNGER,
    HYGIENE,
    IN_NEED,
    STAYS,
    UNEMPLOYED,
)

CONTENT = 0.3
"""A need above this counts as looked after."""


@kernel
def note_hardship(rules, agent):  # type: ignore[no-untyped-def]
    """Count the ticks in which a need is gone, is chronically low, or all of them are looked after."""
    lowest = min(agent.needs[0], agent.needs[1], agent.needs[2])
    agent.satisfied_life += lowest > CONTENT
    agent.low_ticks += lowest < rules.scalars[0].chronic_level
    for k in range(3):
        agent.empty_ticks[k] = agent.empty_ticks[k] + 1 if agent.needs[k] <= 0.0 else 0


@kernel
def begin_day(town, rules):  # type: ignore[no-untyped-def]
    """Forget yesterday's counts at midnight; whose chronic need is already certain does not get away by waiting."""
    town.common.exits_today = 0
    town.common.job_exits_today = 0
    for i in range(town.agents.shape[0]):
        if not in_chronic_need(rules.scalars[0], town.agents[i]):
            town.agents[i].low_ticks = 0


@kernel
def in_chronic_need(scalars, agent):  # type: ignore[no-untyped-def]
    """Say whether a need was too low for too large a part of today."""
    return scalars.chronic_ticks > 0 and agent.low_ticks >= scalars.chronic_ticks


@kernel
def cause_of_death(scalars, agent):  # type: ignore[no-untyped-def]
    """Return what an agent dies of now, or ``STAYS``."""
    if agent.needs[HUNGER] <= scalars.starvation:
        return FAINTED
    if scalars.collapse > 0 and agent.empty_ticks[ENERGY] >= scalars.collapse:
        return COLLAPSED
    if scalars.exposure > 0 and agent.empty_ticks[HYGIENE] >= scalars.exposure:
        return EXPOSED
    return STAYS


@kernel
def reason_to_move(scalars, agent, tick):  # type: ignore[no-untyped-def]
    """Return why an agent moves away now, or ``STAYS``."""
    if scalars.unpaid_days > 0 and agent.unpaid_days >= scalars.unpaid_days:
        return EVICTED
    jobless = not agent.employed and tick - agent.unemployed_at >= scalars.unemployed_ticks
    if scalars.unemployed_ticks > 0 and jobless:
        return UNEMPLOYED
    if in_chronic_need(scalars, agent):
        return IN_NEED
    if scalars.max_age > 0 and tick - agent.arrived_at >= scalars.max_age:
        return AGED_OUT
    return STAYS


@kernel
def may_leave(town, scalars):  # type: ignore[no-untyped-def]
    """Say whether the town lets anybody go now: the day's cap, the pause after an exit, and no city event lately."""
    common = town.common
    if scalars.exits_per_day > 0 and common.exits_today >= scalars.exits_per_day:
        return False
    resting = common.tick - common.exit_at < scalars.exit_cooldown
    return not resting and not in_city_event(town)


@kernel
def verdict(town, rules, i):  # type: ignore[no-untyped-def]
    """Return why agent ``i`` leaves the town in this tick, or ``STAYS``."""
    agent, common, scalars = town.agents[i], town.common, rules.scalars[0]
    if not scalars.lifecycle:
        return STAYS
    reason = cause_of_death(scalars, agent) if common.mortality else STAYS
    if reason == STAYS:
        reason = reason_to_move(scalars, agent, common.tick)
    return reason if reason != STAYS and may_leave(town, scalars) else STAYS
