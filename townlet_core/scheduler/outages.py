"""Outages: planned failures of power and water, drawn once a day from the town's events stream."""

from townlet_core.kernels import EVENTS, kernel, uniform, uniform_between
from townlet_core.world.events import Event, emit

BEGIN, END = int(Event.OUTAGE_BEGIN), int(Event.OUTAGE_END)


@kernel
def plan_outages(town, rules):  # type: ignore[no-untyped-def]
    """Draw today's outages. Every plan draws the same three numbers whether or not it comes true."""
    common = town.common
    midnight = common.tick - common.tick % rules.scalars[0].day
    for k in range(rules.outages.shape[0]):
        plan = rules.outages[k]
        happens = uniform(common.streams, EVENTS) < plan.probability
        start = uniform_between(common.streams, EVENTS, plan.start[0], plan.start[1] + 1)
        ticks = uniform_between(common.streams, EVENTS, plan.ticks[0], plan.ticks[1] + 1)
        if happens:
            common.outage_start[k] = midnight + int(start)
            common.outage_end[k] = common.outage_start[k] + int(ticks)


@kernel
def _is_out(town, rules, utility):  # type: ignore[no-untyped-def]
    tick = town.common.tick
    if town.common.event_cut[utility]:
        return True
    for k in range(rules.outages.shape[0]):
        ours = rules.outages[k].utility == utility
        if ours and town.common.outage_start[k] <= tick < town.common.outage_end[k]:
            return True
    return False


@kernel
def update_utilities(town, rules):  # type: ignore[no-untyped-def]
    """Switch power and water off while an outage or an event cuts them and on again after the last one."""
    for utility in range(2):
        works = 0 if _is_out(town, rules, utility) else 1
        if works != town.common.utilities[utility]:
            town.common.utilities[utility] = works
            emit(town.common, town.log, END if works else BEGIN, -1, -1, utility, 0.0)
