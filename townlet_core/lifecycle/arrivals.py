"""Arrivals: how a life in the town begins, for founders as for newcomers who take an empty place."""

from townlet_core.kernels import WORLD, kernel, uniform_between
from townlet_core.lifecycle.traits import draw_personality
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import place
from townlet_core.world.slots import take_slot
from townlet_core.world.state import EMPTY_PLACE, EXPECTED, FREE, NO_EXIT, NOBODY, SHIFT_OFF

ARRIVAL = int(Event.ARRIVAL)


@kernel
def _clear_intentions(agent):  # type: ignore[no-untyped-def]
    agent.option = 0
    agent.option_ticks = 0
    agent.progress = 0
    agent.duration = 0
    agent.committed = 0
    agent.phase = FREE
    agent.target = -1
    agent.affordance = -1
    agent.holds = 0
    agent.queued_at = 0
    agent.next_waiting = NOBODY
    agent.waited_in_vain = 0
    agent.last_duration = 0
    agent.last_success = 0
    agent.last_action = 0
    agent.last_fixture = -1
    agent.cooldown_until = 0
    agent.partner = NOBODY
    agent.chat_ready_at = 0
    agent.blocked = 0
    agent.worked = 0
    agent.at_work_since = 0


@kernel
def _clear_work(agent):  # type: ignore[no-untyped-def]
    agent.employed = 1
    agent.unemployed_at = 0
    agent.shift_state = SHIFT_OFF
    agent.shift_present = 0
    agent.shift_ticks = 0
    agent.away_ticks = 0
    agent.was_punctual = 0
    agent.lateness = 0
    agent.shifts = 0
    agent.wages_withheld = 0.0
    agent.exit_state = NO_EXIT
    agent.exit_since = 0
    for k in range(agent.attendance.shape[0]):
        agent.attendance[k] = 0.0
    for k in range(agent.absences.shape[0]):
        agent.absences[k] = 0


@kernel
def _clear_hardship(agent):  # type: ignore[no-untyped-def]
    agent.episode_reward = 0.0
    agent.social_signal = 0.0
    agent.wage_signal = 0.0
    agent.punctuality_signal = 0.0
    agent.potential = 0.0
    agent.agreed_price = 0.0
    agent.meeting = 0
    agent.milestone = 0
    agent.meet_ready_at = 0
    agent.low_ticks = 0
    agent.satisfied_life = 0
    agent.unpaid_days = 0
    for k in range(3):
        agent.empty_ticks[k] = 0


@kernel
def begin_life(town, rules, i):  # type: ignore[no-untyped-def]
    """Let a new person live in place ``i``: on its bed, with its job, needs drawn, and knowing nobody.

    Whatever the former inhabitant was is forgotten; only the figures of the place go on adding up.
    """
    agent, common, scalars = town.agents[i], town.common, rules.scalars[0]
    _clear_intentions(agent)
    _clear_work(agent)
    _clear_hardship(agent)
    for k in range(3):
        agent.needs[k] = uniform_between(common.streams, WORLD, scalars.initial_need[0], scalars.initial_need[1])
    if scalars.clothes_matter:
        agent.clothes = uniform_between(common.streams, WORLD, scalars.initial_clothes[0], scalars.initial_clothes[1])
    agent.alive = 1
    agent.context_reset = 1
    if agent.arrived_at != EXPECTED:
        agent.person = common.people
        common.people += 1
        take_slot(town, rules, i)
    agent.arrived_at = common.tick
    agent.arrives_at = EMPTY_PLACE
    if scalars.relationship_stage > 0:
        draw_personality(town, rules, i)
    for k in range(town.ties.shape[1]):
        town.ties[i, k].other = NOBODY
    bed = rules.fixtures[rules.citizens[i].bed]
    place(town, rules, i, bed.y, bed.x)


@kernel
def _welcome(town, rules, i):  # type: ignore[no-untyped-def]
    """Let a newcomer arrive with the starter kit, whose money comes out of the treasury."""
    agent, common, scalars = town.agents[i], town.common, rules.scalars[0]
    begin_life(town, rules, i)
    kit = min(scalars.kit_money, common.treasury)
    common.treasury -= kit
    common.empty_places -= 1
    agent.wallet = kit
    agent.ingredients = scalars.kit_ingredients
    emit(common, town.log, ARRIVAL, i, rules.citizens[i].bed, -1, kit)


@kernel
def welcome_newcomers(town, rules):  # type: ignore[no-untyped-def]
    """Let newcomers take the places that are due, as soon as nobody stands on the bed."""
    if town.common.empty_places == 0:
        return
    for i in range(town.agents.shape[0]):
        agent, bed = town.agents[i], rules.fixtures[rules.citizens[i].bed]
        due = not agent.alive and EMPTY_PLACE < agent.arrives_at <= town.common.tick
        if due and town.occupancy[bed.y, bed.x] == NOBODY:
            _welcome(town, rules, i)
