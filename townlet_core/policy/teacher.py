"""The scripted teacher: a citizen of good sense, who shows learners how to live."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.agents.company import find_company
from townlet_core.config.options import Option
from townlet_core.core import ENGINE, Actor, Simulation
from townlet_core.core.settling import town_of
from townlet_core.kernels import kernel, refer, source_digest
from townlet_core.policy.stepping import step_for
from townlet_core.rewards.social import in_distress
from townlet_core.world.affordances import best_target
from townlet_core.world.clothes import is_worn
from townlet_core.world.employment import minute_of_day
from townlet_core.world.state import ENERGY, HUNGER, HYGIENE
from townlet_core.world.weather import ticks_to_walk

IDLE, EAT_HOME, COOK, EAT_OUT = int(Option.IDLE), int(Option.EAT_HOME), int(Option.COOK), int(Option.EAT_OUT)
WASH, SLEEP, WORK = int(Option.WASH), int(Option.SLEEP), int(Option.WORK)
SHOP, RELAX, SOCIALISE = int(Option.SHOP), int(Option.RELAX), int(Option.SOCIALISE)

LUNCH, HUNGRY, PECKISH = 0.25, 0.5, 0.68
EXHAUSTED, TIRED, WAKEFUL = 0.12, 0.35, 0.92
DIRTY, UNKEMPT, FILTHY = 0.5, 0.75, 0.04
REST_BELOW = 0.75
NIGHT_FROM, NIGHT_TO = 1290, 330
"""Minutes of the day between which a citizen sleeps as long as it is not quite rested."""
SUPPER_FROM = 1200
MEALS_AT_HOME = 3
PANTRY = 2
OVERPRICED = 1.5
"""Times its usual price at which a citizen leaves the café alone if there is food at home."""
SAVINGS = 2.0
PUNCTUAL_MARGIN = 20
"""Minutes by which a citizen means to be early: an idle spell more than the way takes."""
BEFORE_NAP, BEFORE_OUTING, BEFORE_CHORE = 120, 110, 80
"""Minutes that must be left before a shift to begin a stretch of sleep, a visit to the park, or a chore."""


@kernel
def _possible(town, rules, i, option):  # type: ignore[no-untyped-def]
    return best_target(town, rules, i, option)[0] >= 0


@kernel
def get_fed(town, rules, i):  # type: ignore[no-untyped-def]
    """Choose the nearest meal: at home or, with some savings, at the café; else cook, else shop."""
    _, _, home = best_target(town, rules, i, EAT_HOME)
    _, _, cafe = best_target(town, rules, i, EAT_OUT)
    rich = town.agents[i].wallet > SAVINGS and town.common.eat_out_price < OVERPRICED
    if home < 65535 and (home <= cafe or not rich):
        return EAT_HOME
    if cafe < 65535 and rich:
        return EAT_OUT
    if _possible(town, rules, i, COOK):
        return COOK
    if _possible(town, rules, i, SHOP):
        return SHOP
    return EAT_OUT if cafe < 65535 else IDLE


@kernel
def _must_leave_for_work(town, rules, i):  # type: ignore[no-untyped-def]
    target, _, cost = best_target(town, rules, i, WORK)
    if target < 0:
        return False
    return rules.citizens[i].shift_start - minute_of_day(town, rules) <= cost + PUNCTUAL_MARGIN


@kernel
def _has_time(town, rules, i, minutes):  # type: ignore[no-untyped-def]
    """Say whether so many minutes are left before the shift, more of them when the weather makes every way long."""
    until = rules.citizens[i].shift_start - minute_of_day(town, rules)
    return until < 0 or until >= ticks_to_walk(minutes, town.common.pause_every)


@kernel
def _wants_sleep(town, rules, i):  # type: ignore[no-untyped-def]
    energy = town.agents[i].needs[ENERGY]
    minute = minute_of_day(town, rules)
    night = minute >= NIGHT_FROM or minute < NIGHT_TO
    tired = energy < TIRED or (night and energy < WAKEFUL)
    return tired and _has_time(town, rules, i, BEFORE_NAP) and _possible(town, rules, i, SLEEP)


@kernel
def _wants_wash(town, rules, i, limit):  # type: ignore[no-untyped-def]
    return town.agents[i].needs[HYGIENE] < limit and _possible(town, rules, i, WASH)


@kernel
def _larder_is_low(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether little to eat and nothing to cook is left at home, and the grocer can help in time."""
    agent, fridge = town.agents[i], rules.citizens[i].fridge
    meals = town.fixtures[fridge].stock if fridge >= 0 else 0
    bare = meals < MEALS_AT_HOME and agent.ingredients == 0 and agent.wallet > SAVINGS
    return bare and _has_time(town, rules, i, BEFORE_OUTING) and _possible(town, rules, i, SHOP)


@kernel
def _keep_house(town, rules, i):  # type: ignore[no-untyped-def]
    """Choose what a citizen without urgent needs does: stock up, tidy up, rest."""
    agent, fridge = town.agents[i], rules.citizens[i].fridge
    if not _has_time(town, rules, i, BEFORE_CHORE):
        return IDLE
    if fridge >= 0 and town.fixtures[fridge].stock < MEALS_AT_HOME and _possible(town, rules, i, COOK):
        return COOK
    short = agent.ingredients < PANTRY or is_worn(rules.scalars[0], agent)
    if short and agent.wallet > SAVINGS and _possible(town, rules, i, SHOP):
        return SHOP
    if _wants_wash(town, rules, i, UNKEMPT):
        return WASH
    if find_company(town, rules, i)[0] >= 0 and not in_distress(rules.scalars[0], agent):
        return SOCIALISE
    outing = _has_time(town, rules, i, BEFORE_OUTING)
    if outing and agent.needs[ENERGY] < REST_BELOW and _possible(town, rules, i, RELAX):
        return RELAX
    return IDLE


@kernel
def _appetite(town, rules, i, on_call):  # type: ignore[no-untyped-def]
    """Return the hunger below which one eats: late at work, early before a shift and before the night."""
    if on_call:
        return LUNCH
    minute = minute_of_day(town, rules)
    evening = minute >= SUPPER_FROM or minute < NIGHT_TO
    return HUNGRY if _has_time(town, rules, i, BEFORE_NAP) and not evening else PECKISH


@kernel
def advise(town, rules, i):  # type: ignore[no-untyped-def]
    """Return the option that the teacher would choose for agent ``i`` now."""
    agent = town.agents[i]
    on_call = _must_leave_for_work(town, rules, i)
    if agent.needs[HUNGER] < _appetite(town, rules, i, on_call):
        meal = get_fed(town, rules, i)
        if meal != IDLE:
            return meal
    if agent.needs[ENERGY] < EXHAUSTED and _possible(town, rules, i, SLEEP):
        return SLEEP
    if _wants_wash(town, rules, i, FILTHY):
        return WASH
    if on_call:
        return WORK
    if _larder_is_low(town, rules, i):
        return SHOP
    if _wants_sleep(town, rules, i):
        return SLEEP
    if _wants_wash(town, rules, i, DIRTY) and _has_time(town, rules, i, BEFORE_CHORE):
        return WASH
    return _keep_house(town, rules, i)


@kernel(entry=True)
def advise_towns(state: Any, rules: Any, actions: Any) -> None:
    """Write the teacher's choice for everybody who may choose to ``actions`` int8 [B, N]; others keep theirs.

    A choice is an option or, in towns that are controlled step by step, the primitive that leads to it.
    """
    book = refer(rules)
    for b in range(actions.shape[0]):
        town = town_of(state, b)
        for i in range(actions.shape[1]):
            agent = town.agents[i]
            if not agent.alive:
                actions[b, i] = IDLE
            elif book.scalars[0].primitives:
                actions[b, i] = step_for(town, book, i, advise(town, book, i))
            elif agent.committed:
                actions[b, i] = agent.option
            else:
                actions[b, i] = advise(town, book, i)


class Teacher:
    """The scripted policy, bound to one simulation.

    It reads the state rather than the observation, but nothing that an observation does not tell.
    """

    name = "teacher"

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._actions = np.zeros(sim.shape, np.int8)

    @staticmethod
    def actor() -> Actor:
        """Who chose for the citizens, as towns say that are saved: the digest is that of the teacher's sources."""
        return Actor(Teacher.name, source_digest(*ENGINE, "policy"))

    def act(self, sim: Simulation | None = None) -> npt.NDArray[np.int8]:
        """Return everybody's choice, int8 [towns, agents]; the buffer is reused by the next call."""
        sim = sim or self._sim
        advise_towns(sim.state, sim.rules, self._actions)
        return self._actions
