"""Lifecycle verdicts: who leaves the town."""

from townlet_core.agents.options import finish_option
from townlet_core.agents.ties import dissolve_ties
from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import lift
from townlet_core.world.queues import leave_queue, release
from townlet_core.world.state import HUNGER, WAITING

FAINT = int(Event.FAINT)


@kernel
def starves(rules, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent is so hungry that it faints for good."""
    return agent.alive and agent.needs[HUNGER] <= rules.scalars[0].starvation


@kernel
def remove(town, rules, i):  # type: ignore[no-untyped-def]
    """Take agent ``i`` out of the town; whatever it held or waited for goes to the next."""
    agent = town.agents[i]
    if agent.phase == WAITING:
        leave_queue(town, i)
    if agent.holds:
        release(town, rules, i)
    finish_option(agent, 0)
    dissolve_ties(town, i)
    lift(town, rules, i)
    agent.alive = 0
    emit(town.common, town.log, FAINT, i, -1, -1, agent.needs[HUNGER])
