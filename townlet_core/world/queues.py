"""Queues: who may use an object next. A use in progress is never taken away by somebody who waits."""

import numpy as np

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import show_reservation
from townlet_core.world.state import NOBODY, PATIENCE, WAITING, WALKING

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
    agent.queue_waits += 1
    agent.next_waiting = fixture.first_waiting
    fixture.first_waiting = i
    fixture.waiting += 1
    emit(town.common, town.log, QUEUE_JOIN, i, agent.target, fixture.user, fixture.waiting)


@kernel
def leave_queue(town, rules, i):  # type: ignore[no-untyped-def]
    """Give up waiting; out of impatience it is a conflict with whoever has the object."""
    agent = town.agents[i]
    fixture = town.fixtures[agent.target]
    waited = town.common.tick - agent.queued_at
    _leave_line(town.agents, fixture, i)
    agent.phase = WALKING
    agent.waited_in_vain += waited
    if waited > patience_of(rules.scalars[0], agent) and fixture.user != NOBODY:
        agent.conflicts += 1
        town.agents[fixture.user].conflicts += 1
    emit(town.common, town.log, QUEUE_LEAVE, i, agent.target, fixture.user, waited)


@kernel
def claim(agent, tick, weight):  # type: ignore[no-untyped-def]
    """Return how strong an agent's claim in a queue is: ticks waited here, and a share of those once waited in vain."""
    return tick - agent.queued_at + weight * agent.waited_in_vain


@kernel
def patience_of(scalars, agent):  # type: ignore[no-untyped-def]
    """Return how many ticks an agent waits in a queue before it gives up; half as many to half more by its patience."""
    if scalars.traits[PATIENCE]:
        return scalars.patience * (0.5 + agent.personality[PATIENCE])
    return float(scalars.patience)


@kernel
def goes_before(agents, i, j, tick, weight, trait):  # type: ignore[no-untyped-def]
    """Say whether ``i`` is served before ``j``: by claim, then with less of a trait, then the lower number."""
    mine, theirs = claim(agents[i], tick, weight), claim(agents[j], tick, weight)
    if mine != theirs:
        return mine > theirs
    if agents[i].personality[trait] != agents[j].personality[trait]:
        return agents[i].personality[trait] < agents[j].personality[trait]
    return i < j


@kernel
def _next_in_line(agents, first, waiting, tick, weight, trait):  # type: ignore[no-untyped-def]
    """Return who of the ``waiting`` agents in the chain from ``first`` is served next."""
    best, j = first, np.int64(agents[first].next_waiting)
    for _ in range(waiting - 1):
        if goes_before(agents, j, best, tick, weight, trait):
            best = j
        j = np.int64(agents[j].next_waiting)
    return best


@kernel
def _leave_line(agents, fixture, i):  # type: ignore[no-untyped-def]
    """Take agent ``i`` out of the chain of those who wait for an object."""
    after = agents[i].next_waiting
    agents[i].next_waiting = NOBODY
    if fixture.first_waiting == i:
        fixture.first_waiting = after
    else:
        j = np.int64(fixture.first_waiting)
        for _ in range(fixture.waiting - 1):
            if agents[j].next_waiting == i:
                agents[j].next_waiting = after
                break
            j = np.int64(agents[j].next_waiting)
    fixture.waiting -= 1


@kernel
def release(town, rules, i):  # type: ignore[no-untyped-def]
    """Give the reservation of agent ``i`` back; whoever has the strongest claim gets it at once."""
    agent = town.agents[i]
    fixture = town.fixtures[agent.target]
    agent.holds = 0
    fixture.user = NOBODY
    if fixture.waiting > 0:
        tick, scalars, first = town.common.tick, rules.scalars[0], np.int64(fixture.first_waiting)
        weight, trait = scalars.age_priority_weight, scalars.less_first
        heir = _next_in_line(town.agents, first, fixture.waiting, tick, weight, trait)
        fixture.user = heir
        _leave_line(town.agents, fixture, heir)
        emit(town.common, town.log, HANDOVER, i, agent.target, heir, town.common.tick - town.agents[heir].queued_at)
        town.agents[heir].holds = 1
        town.agents[heir].phase = WALKING
        town.agents[heir].waited_in_vain = 0
    show_reservation(town, rules, agent.target)
