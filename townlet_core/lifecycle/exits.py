"""Exits: how a citizen is taken out of the town, so that nothing of it is left behind."""

from townlet_core.agents.options import abandon
from townlet_core.agents.ties import dissolve_ties
from townlet_core.kernels import WORLD, kernel, uniform_between
from townlet_core.world.dismissal import leave_exit_queue
from townlet_core.world.economy import pay
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import lift
from townlet_core.world.slots import free_slot
from townlet_core.world.state import EMPTY_PLACE, EXIT_NAMES, KILLED

FAINT, COLLAPSE, EXPOSURE = int(Event.FAINT), int(Event.COLLAPSE), int(Event.EXPOSURE)
EVICTION, UNEMPLOYMENT = int(Event.EVICTION), int(Event.UNEMPLOYMENT)
CHRONIC_NEED, AGE_OUT, AGENT_KILLED = int(Event.CHRONIC_NEED), int(Event.AGE_OUT), int(Event.AGENT_KILLED)
EXIT_EVENTS = (-1, FAINT, COLLAPSE, EXPOSURE, EVICTION, UNEMPLOYMENT, CHRONIC_NEED, AGE_OUT, AGENT_KILLED)
"""The event of each reason to leave; the first is for those who stay."""
assert len(EXIT_EVENTS) == len(EXIT_NAMES)


@kernel
def _vacate(town, rules, i, reason):  # type: ignore[no-untyped-def]
    """Say when somebody will take the place; nobody takes that of one who was killed, or where nobody comes."""
    agent, common, scalars = town.agents[i], town.common, rules.scalars[0]
    agent.arrives_at = EMPTY_PLACE
    if not scalars.lifecycle or not scalars.arrivals or reason == KILLED:
        return
    low, high = common.arrival_delay[0], common.arrival_delay[1]
    agent.arrives_at = common.tick + int(uniform_between(common.streams, WORLD, low, high + 1))
    common.empty_places += 1


@kernel
def remove(town, rules, i, reason):  # type: ignore[no-untyped-def]
    """Take agent ``i`` out of the town: what it held or waited for goes to the next, its money to the treasury."""
    agent, common = town.agents[i], town.common
    abandon(town, rules, i)
    dissolve_ties(town, i)
    leave_exit_queue(common, agent)
    lift(town, rules, i)
    free_slot(common, agent)
    pay(common, agent, agent.wallet, -1)
    agent.alive = 0
    common.exits[reason] += 1
    common.exits_today += 1
    common.exit_at = common.tick
    emit(common, town.log, EXIT_EVENTS[reason], i, -1, -1, (common.tick - agent.arrived_at) / rules.scalars[0].day)
    _vacate(town, rules, i, reason)
