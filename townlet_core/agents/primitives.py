"""Primitives: one tick's step, request, start, release or word, chosen by the agent itself.

The rules are those of the options: nobody uses what is not reserved, a reservation that leads nowhere lapses, and a use
in progress goes on until it is complete or becomes impossible.
"""

from townlet_core.agents.company import nearest_company, talk
from townlet_core.agents.meets import attend
from townlet_core.agents.options import IDLE, REQUEST_DISTANCE, SOCIALISE, abandon, go_on_using, leads_nowhere
from townlet_core.config.primitives import Primitive
from townlet_core.kernels import kernel
from townlet_core.world.affordances import begins, best_target, may_begin, start_use, still_possible
from townlet_core.world.movement import step_by
from townlet_core.world.queues import request
from townlet_core.world.state import FREE, USING, WAITING, WALKING

WAIT, FIRST_MOVE, LAST_MOVE = int(Primitive.WAIT), int(Primitive.MOVE_NORTH), int(Primitive.MOVE_WEST)
FIRST_REQUEST, LAST_REQUEST = int(Primitive.REQUEST_EAT_HOME), int(Primitive.REQUEST_RELAX)
START, RELEASE, CHAT = int(Primitive.START), int(Primitive.RELEASE), int(Primitive.CHAT)
STRAY_DISTANCE = 4
"""Steps from an object beyond which its reservation, or the place in its queue, lapses."""


@kernel
def target_in_reach(town, rules, i, option):  # type: ignore[no-untyped-def]
    """Return the (object, affordance) that agent ``i`` may ask for to fulfil an option; (-1, -1) if it is too far."""
    agent = town.agents[i]
    target, affordance, _ = best_target(town, rules, i, option)
    if target < 0 or rules.distance[target, agent.y, agent.x] > REQUEST_DISTANCE:
        return -1, -1
    return target, affordance


@kernel
def _is_ready(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` holds the object that it stands on, and the use is still possible."""
    agent = town.agents[i]
    if agent.phase == USING or not agent.holds or rules.distance[agent.target, agent.y, agent.x] > 0:
        return False
    return still_possible(town, rules, i)


@kernel
def may_start(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` can begin to use the object that it stands on: it is ready, and all conditions hold."""
    return _is_ready(town, rules, i) and may_begin(town, rules, i)


@kernel
def _start(town, rules, i):  # type: ignore[no-untyped-def]
    """Begin to use the object, or give it back where a precondition does not hold."""
    if begins(town, rules, i):
        start_use(town, rules, i)
    else:
        abandon(town, rules, i)


@kernel
def may_release(agent):  # type: ignore[no-untyped-def]
    """Say whether an agent has a reservation or a place in a queue to give back."""
    return agent.phase == WAITING or agent.phase == WALKING


@kernel
def neighbour(town, rules, i):  # type: ignore[no-untyped-def]
    """Return whom agent ``i`` may talk to where it stands, -1 if nobody."""
    threshold = rules.scalars[0].avoid_threshold
    partner, _ = nearest_company(town.agents, town.blocks, town.ties, i, town.common.tick, 1, threshold)
    return partner


@kernel
def _request(town, rules, i, option):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    target, affordance = target_in_reach(town, rules, i, option)
    if agent.phase != FREE or target < 0:
        return
    agent.option = option
    agent.option_ticks = 0
    agent.target = target
    agent.affordance = affordance
    agent.phase = WALKING
    request(town, rules, i)


@kernel
def _chat(town, rules, i):  # type: ignore[no-untyped-def]
    agent, partner = town.agents[i], neighbour(town, rules, i)
    if partner < 0:
        return
    agent.last_success = talk(town, rules, i, partner)
    agent.last_duration = 1
    if agent.phase == FREE:
        agent.option = SOCIALISE


@kernel
def _do(town, rules, i, action):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    if agent.phase == FREE:
        agent.option = IDLE
    if FIRST_MOVE <= action <= LAST_MOVE:
        step_by(town, rules, i, action - FIRST_MOVE)
    elif FIRST_REQUEST <= action <= LAST_REQUEST:
        _request(town, rules, i, action - FIRST_REQUEST + 1)
    elif action == START and _is_ready(town, rules, i):
        _start(town, rules, i)
    elif action == RELEASE and may_release(agent):
        abandon(town, rules, i)
    elif action == CHAT:
        _chat(town, rules, i)


@kernel
def _lapse(town, rules, i):  # type: ignore[no-untyped-def]
    """Give back what has led nowhere for too long, can no longer be used, or was walked away from."""
    agent = town.agents[i]
    strayed = rules.distance[agent.target, agent.y, agent.x] > STRAY_DISTANCE
    if strayed or leads_nowhere(town, rules, i):
        abandon(town, rules, i)


@kernel
def take_primitive(town, rules, i, action):  # type: ignore[no-untyped-def]
    """Do one tick as agent ``i`` chose; what is impossible by now costs the tick.

    Whoever uses something goes on, and whoever is called to a meeting goes there.
    """
    agent = town.agents[i]
    agent.option_ticks += 1
    agent.context_reset = 0
    if agent.phase == USING:
        go_on_using(town, rules, i)
        return
    agent.last_action = action
    if agent.meeting:
        attend(town, rules, i)
        return
    _do(town, rules, i, action)
    if agent.phase == WALKING or agent.phase == WAITING:
        _lapse(town, rules, i)
