"""Options: short controllers that turn an intention into walking, queueing and using."""

from townlet_core.agents.company import find_company, seek_company
from townlet_core.agents.meets import attend
from townlet_core.config.options import Option
from townlet_core.kernels import kernel
from townlet_core.world.affordances import begins, best_target, progress_use, start_use, still_possible
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import step_aside, walk_towards
from townlet_core.world.queues import leave_queue, patience_of, release, request
from townlet_core.world.state import FREE, NOBODY, USING, WAITING, WALKING
from townlet_core.world.ties import is_rival

IDLE, SOCIALISE = int(Option.IDLE), int(Option.SOCIALISE)
AVOIDANCE = int(Event.AVOIDANCE)
REQUEST_DISTANCE = 2
"""Steps from an object at which one asks for it, and in which its queue stands."""


@kernel
def finish_option(agent, success):  # type: ignore[no-untyped-def]
    """End the current option, or the part in a meeting; the agent decides again at the next tick."""
    agent.committed = 0
    agent.meeting = 0
    agent.phase = FREE
    agent.target = -1
    agent.affordance = -1
    agent.last_success = success
    agent.last_duration = agent.option_ticks


@kernel
def cut_context(agent):  # type: ignore[no-untyped-def]
    """Tell agent and policy that what happened before explains nothing of now: a hard cut, until the next choice.

    For what befalls an agent from outside: a new life, being put elsewhere, a use that breaks off.
    """
    agent.context_reset = 1


@kernel
def abandon(town, rules, i):  # type: ignore[no-untyped-def]
    """Give up the current option: leave the queue, give the reservation back. In use only who leaves town does so."""
    agent = town.agents[i]
    if agent.phase == WAITING:
        leave_queue(town, rules, i)
    if agent.holds:
        release(town, rules, i)
    finish_option(agent, 0)


@kernel
def choose(town, rules, i, option):  # type: ignore[no-untyped-def]
    """Commit agent ``i`` to an option; choosing the pursued one again keeps its place in the queue."""
    agent = town.agents[i]
    agent.committed = 1
    if agent.phase != FREE and option == agent.option:
        return
    if agent.phase != FREE:
        abandon(town, rules, i)
        agent.committed = 1
    agent.option = option
    agent.option_ticks = 0
    agent.context_reset = 0
    if option == IDLE:
        return
    if option == SOCIALISE:
        _choose_company(town, rules, i)
        return
    target, affordance, _ = best_target(town, rules, i, option)
    if target < 0:
        finish_option(agent, 0)
        return
    agent.target = target
    agent.affordance = affordance
    agent.phase = WALKING


@kernel
def summon(town, rules, i, slot, place):  # type: ignore[no-untyped-def]
    """Call agent ``i`` to the meeting of an event: it gives up what it was about and is bound till the end."""
    agent = town.agents[i]
    if agent.phase != FREE:
        abandon(town, rules, i)
    agent.committed = 1
    agent.meeting = slot + 1
    agent.option = SOCIALISE
    agent.option_ticks = 0
    agent.phase = WALKING
    agent.target = place
    agent.partner = NOBODY
    agent.context_reset = 1


@kernel
def _choose_company(town, rules, i):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    agent.partner, _ = find_company(town, rules, i)
    if agent.partner < 0:
        finish_option(agent, 0)
        return
    agent.phase = WALKING


@kernel
def _look_again(town, rules, i):  # type: ignore[no-untyped-def]
    """On arrival at an object that is taken, turn to a better one if there is one by now."""
    agent = town.agents[i]
    if town.fixtures[agent.target].user < 0:
        return
    rival = town.fixtures[agent.target].user
    target, affordance, _ = best_target(town, rules, i, agent.option)
    if target < 0:
        return
    if target != agent.target and is_rival(town.ties, i, rival, rules.scalars[0].avoid_threshold):
        emit(town.common, town.log, AVOIDANCE, i, agent.target, rival, 0.0)
    agent.target = target
    agent.affordance = affordance


@kernel
def _walk(town, rules, i):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    if not agent.holds and rules.distance[agent.target, agent.y, agent.x] <= REQUEST_DISTANCE:
        _look_again(town, rules, i)
    steps = rules.distance[agent.target, agent.y, agent.x]
    if not agent.holds and steps <= REQUEST_DISTANCE:
        request(town, rules, i)
    if agent.holds and steps == 0:
        _begin(town, rules, i)
    elif agent.holds or steps > 1:
        walk_towards(town, rules, i, agent.target)
    elif steps == 0:
        step_aside(town, rules, i)


@kernel
def _begin(town, rules, i):  # type: ignore[no-untyped-def]
    """Begin the use that agent ``i`` came for, or give it up where a precondition no longer holds."""
    if begins(town, rules, i):
        start_use(town, rules, i)
    else:
        abandon(town, rules, i)
        step_aside(town, rules, i)


@kernel
def leads_nowhere(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether what agent ``i`` is after takes too long, keeps it waiting too long, or has become impossible."""
    agent, scalars = town.agents[i], rules.scalars[0]
    late = agent.option_ticks > scalars.commit_ticks
    bored = agent.phase == WAITING and town.common.tick - agent.queued_at > patience_of(scalars, agent)
    return late or bored or not still_possible(town, rules, i)


@kernel
def go_on_using(town, rules, i):  # type: ignore[no-untyped-def]
    """Use an object for one more tick; the option ends with the use, and a use that breaks off is a hard cut."""
    agent = town.agents[i]
    result = progress_use(town, rules, i)
    if result != 0:
        finish_option(agent, 1 if result > 0 else 0)
    if result < 0:
        cut_context(agent)


@kernel
def _pursue(town, rules, i):  # type: ignore[no-untyped-def]
    """Walk or wait for one tick, or give up."""
    agent = town.agents[i]
    if leads_nowhere(town, rules, i):
        abandon(town, rules, i)
        step_aside(town, rules, i)
    elif agent.phase == WAITING:
        _wait(town, rules, i)
    else:
        _walk(town, rules, i)


@kernel
def _wait(town, rules, i):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    steps = rules.distance[agent.target, agent.y, agent.x]
    if steps > 1:
        walk_towards(town, rules, i, agent.target)
    elif steps == 0:
        step_aside(town, rules, i)


@kernel
def pursue_option(town, rules, i):  # type: ignore[no-untyped-def]
    """Do one tick of the committed option of agent ``i``."""
    agent = town.agents[i]
    agent.option_ticks += 1
    if agent.phase == USING:
        go_on_using(town, rules, i)
    elif agent.meeting:
        attend(town, rules, i)
    elif agent.phase != FREE and agent.option == SOCIALISE:
        result = seek_company(town, rules, i)
        if result != 0:
            finish_option(agent, 1 if result > 0 else 0)
    elif agent.phase != FREE:
        _pursue(town, rules, i)
    elif agent.committed:
        step_aside(town, rules, i)
        if agent.option_ticks >= rules.scalars[0].idle_ticks:
            finish_option(agent, 1)


@kernel
def yield_commitment(agent):  # type: ignore[no-untyped-def]
    """Let an agent whose need turned hard reconsider, unless it is using something; it leaves a meeting."""
    if agent.meeting:
        finish_option(agent, 0)
    elif agent.phase != USING:
        agent.committed = 0
