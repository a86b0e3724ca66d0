"""Preconditions: whether an agent may use an object, decided by a small stack machine without jumps.

Every row is run once, in order, so conditions take as many steps as they have rows. The stack is six registers:
the compiler sees to it that no condition needs more.
"""

import numpy as np

from townlet_core.config.condition_names import FIRST_OF_OBJECT, FIRST_OF_TOWN, Fact
from townlet_core.kernels import kernel
from townlet_core.world.condition_tables import Operation
from townlet_core.world.employment import attendance_ratio

WALLET, INGREDIENTS, HOME_MEALS = int(Fact.WALLET), int(Fact.INGREDIENTS), int(Fact.HOME_MEALS)
LATENESS, ATTENDANCE, WITHHELD = int(Fact.LATENESS), int(Fact.ATTENDANCE), int(Fact.WAGES_WITHHELD)
ON_SHIFT, SHIFT_STATE, JOB, AT_HOME = int(Fact.ON_SHIFT), int(Fact.SHIFT_STATE), int(Fact.JOB), int(Fact.AT_HOME)
AGENT_X, AGENT_Y, EXTROVERSION, AMBITION = (
    int(Fact.AGENT_X), int(Fact.AGENT_Y), int(Fact.EXTROVERSION), int(Fact.AMBITION),
)  # fmt: skip
OBJECT_TYPE, STOCK, OCCUPIED = int(Fact.OBJECT_TYPE), int(Fact.STOCK), int(Fact.OCCUPIED)
QUEUE_LENGTH, OBJECT_X, OBJECT_Y = int(Fact.QUEUE_LENGTH), int(Fact.OBJECT_X), int(Fact.OBJECT_Y)
TICK, DAY, MINUTE, HOUR = int(Fact.TICK), int(Fact.DAY), int(Fact.MINUTE), int(Fact.HOUR)
POWER_ON, WEATHER = int(Fact.POWER_ON), int(Fact.WEATHER)
PUSH, FACT, NOT, NEGATE = int(Operation.PUSH), int(Operation.FACT), int(Operation.NOT), int(Operation.NEGATE)
END = int(Operation.END)
AND, OR, EQUAL = int(Operation.AND), int(Operation.OR), int(Operation.EQUAL)
UNEQUAL, LESS = int(Operation.UNEQUAL), int(Operation.LESS)
NEEDS = 3
NO_JOB = -1.0
"""What ``none`` is, as a number: the job of whoever was dismissed."""


@kernel
def _fact_of_work(town, rules, i, fact):  # type: ignore[no-untyped-def]
    agent, citizen = town.agents[i], rules.citizens[i]
    if fact == LATENESS:
        return float(agent.lateness)
    if fact == ATTENDANCE:
        return float(attendance_ratio(rules, agent))
    if fact == WITHHELD:
        return agent.wages_withheld
    if fact == ON_SHIFT:
        minute = town.common.tick % rules.scalars[0].day
        return 1.0 if agent.employed and citizen.shift_start <= minute < citizen.shift_end else 0.0
    if fact == SHIFT_STATE:
        return float(agent.shift_state)
    return float(citizen.job) if agent.employed else NO_JOB


@kernel
def _home_meals(town, rules, i):  # type: ignore[no-untyped-def]
    fridge = rules.citizens[i].fridge
    return float(town.fixtures[fridge].stock) if fridge >= 0 else 0.0


@kernel
def _fact_of_agent(town, rules, i, fact):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    if fact < NEEDS:
        return float(agent.needs[fact])
    if fact == WALLET:
        return agent.wallet
    if fact == INGREDIENTS:
        return float(agent.ingredients)
    if fact == HOME_MEALS:
        return _home_meals(town, rules, i)
    if fact <= JOB:
        return _fact_of_work(town, rules, i, fact)
    if fact == AT_HOME:
        return 1.0 if rules.home_at[agent.y, agent.x] == rules.citizens[i].home else 0.0
    if fact == AGENT_X:
        return float(agent.x)
    if fact == AGENT_Y:
        return float(agent.y)
    return float(agent.personality[fact - EXTROVERSION])


@kernel
def _fact_of_object(town, rules, i, f, fact):  # type: ignore[no-untyped-def]
    fixture, rule = town.fixtures[f], rules.fixtures[f]
    if fact == STOCK:
        return float(fixture.stock)
    if fact == OCCUPIED:
        return 1.0 if fixture.user >= 0 and fixture.user != i else 0.0
    if fact == QUEUE_LENGTH:
        return float(fixture.waiting)
    if fact == OBJECT_X:
        return float(rule.x)
    if fact == OBJECT_Y:
        return float(rule.y)
    return float(rule.type)


@kernel
def _fact_of_town(town, rules, fact):  # type: ignore[no-untyped-def]
    tick, day = town.common.tick, rules.scalars[0].day
    if fact == TICK:
        return float(tick)
    if fact == DAY:
        return float(tick // day)
    if fact == MINUTE:
        return float(tick % day)
    if fact == HOUR:
        return float(tick % day * 24 // day)
    if fact == WEATHER:
        return float(town.common.weather)
    return float(town.common.utilities[fact - POWER_ON])


@kernel
def look_up(town, rules, i, f, fact):  # type: ignore[no-untyped-def]
    """Return a fact about agent ``i``, object ``f`` or the town as a number; true is 1, a word its number."""
    if fact < FIRST_OF_OBJECT:
        return _fact_of_agent(town, rules, i, fact)
    if fact < FIRST_OF_TOWN:
        return _fact_of_object(town, rules, i, f, fact)
    return _fact_of_town(town, rules, fact)


@kernel
def _combine(operation, left, right):  # type: ignore[no-untyped-def]
    if operation == AND:
        return min(left, right)
    if operation == OR:
        return max(left, right)
    if operation == EQUAL:
        holds = left == right
    elif operation == UNEQUAL:
        holds = left != right
    elif operation == LESS:
        holds = left < right
    else:
        holds = left <= right
    return 1.0 if holds else 0.0


@kernel
def first_failing(town, rules, i, f, first, last):  # type: ignore[no-untyped-def]
    """Run rows ``first`` to ``last`` of the code for agent ``i`` and object ``f``.

    Returns:
        The number of the first condition that does not hold; -1 if all hold.
    """
    a0, a1, a2, a3, a4, a5 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for position in range(first, last):
        row = rules.code[position]
        if row.operation <= FACT:
            a1, a2, a3, a4, a5 = a0, a1, a2, a3, a4
            a0 = row.value if row.operation == PUSH else look_up(town, rules, i, f, row.fact)
        elif row.operation == END:
            if a0 == 0.0:
                return np.int64(row.fact)
        elif row.operation == NOT:
            a0 = 1.0 - a0
        elif row.operation == NEGATE:
            a0 = -a0
        else:
            a0 = _combine(row.operation, a1, a0)
            a1, a2, a3, a4, a5 = a2, a3, a4, a5, 0.0
    return np.int64(-1)
