"""Queues: who may use an object next. A use in progress is never taken away by somebody who waits."""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import show_reservation
from townlet_core.world.state import NOBODY, WAITING, WALKING

QUEUE_JOIN, QUEUE_LEAVE, HANDOVER = int(Event.QUEUE_JOIN), int(Event.QUEUE_LEAVE), int(Event.HANDOVER)


@kernel
def request(town, rules, i):  # type: ignore[no-untyped-def]
    """Reserve the target of agent ``i`` if it is free, else join its queue."""
    agent = town.agents[i]
    fixture = town.fixtures[agent.target]
    if fixture.user == NOBODY and fixture.waiting == 0:
        fixture.user = i
        agent.holds = 1
        show_reservation(town, rules, agent.target)
        return
    agent.phase = WAITING
    agent.queued_at = town.common.tick
    agent.conflicts += 1
    fixture.waiting += 1
    emit(town.common, town.log, QUEUE_JOIN, i, agent.target, fixture.user, fixture.waiting)


@kernel
def leave_queue(town, i):  # type: ignore[no-untyped-def]
    """Give up waiting."""
    agent = town.agents[i]
    fixture = town.fixtures[agent.target]
    fixture.waiting -= 1
    agent.phase = WALKING
    emit(town.common, town.log, QUEUE_LEAVE, i, agent.target, fixture.user, town.common.tick - agent.queued_at)


@kernel
def _longest_waiting(town, f):  # type: ignore[no-untyped-def]
    """Return who has waited longest for object ``f``; the lower number where two came together."""
    best = NOBODY
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if agent.phase != WAITING or agent.target != f or not agent.alive:
            continue
        if best == NOBODY or agent.queued_at < town.agents[best].queued_at:
            best = i
    return best


@kernel
def release(town, rules, i):  # type: ignore[no-untyped-def]
    """Give the reservation of agent ``i`` back; the longest-waiting agent gets it at once."""
    agent = town.agents[i]
    fixture = town.fixtures[agent.target]
    agent.holds = 0
    fixture.user = NOBODY
    if fixture.waiting > 0:
        heir = _longest_waiting(town, agent.target)
        fixture.user = heir
        fixture.waiting -= 1
        emit(town.common, town.log, HANDOVER, i, agent.target, heir, town.common.tick - town.agents[heir].queued_at)
        town.agents[heir].holds = 1
        town.agents[heir].phase = WALKING
    show_reservation(town, rules, agent.target)
