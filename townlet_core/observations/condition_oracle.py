"""The oracle of the preconditions: facts gathered by name, and conditions decided on a plain Python list.

It shares no code with the kernels, so that a slip in one of them shows as a difference.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from townlet_core.config.condition_names import Fact
from townlet_core.world.condition_tables import Operation
from townlet_core.world.rules import Rules
from townlet_core.world.state import TownState

_TWO_SIDED = {
    Operation.AND: lambda left, right: left and right,
    Operation.OR: lambda left, right: left or right,
    Operation.EQUAL: lambda left, right: left == right,
    Operation.UNEQUAL: lambda left, right: left != right,
    Operation.LESS: lambda left, right: left < right,
    Operation.AT_MOST: lambda left, right: left <= right,
}


def facts_about(state: TownState, rules: Rules, town: int, agent: int, fixture: int) -> dict[Fact, float]:
    """Gather every fact about an agent, an object and their town, as numbers."""
    facts = _about_agent(state, rules, town, agent) | _about_work(state, rules, town, agent)
    return facts | _about_object(state, rules, town, agent, fixture) | _about_town(state, rules, town)


def meets(state: TownState, rules: Rules, town: int, agent: int, affordance: Any, fixture: int) -> bool:
    """Say whether an agent may use an object as far as the affordance's preconditions go."""
    rows = rules.code[affordance.first_row : affordance.last_row]
    facts = facts_about(state, rules, town, agent, fixture) if len(rows) else {}
    return all(_outcomes(rows, facts))


def _outcomes(rows: Any, facts: dict[Fact, float]) -> Iterator[bool]:
    stack: list[float] = []
    for row in rows:
        operation = Operation(int(row.operation))
        if operation == Operation.PUSH:
            stack.append(float(row.value))
        elif operation == Operation.FACT:
            stack.append(facts[Fact(int(row.fact))])
        elif operation == Operation.NOT:
            stack.append(not stack.pop())
        elif operation == Operation.NEGATE:
            stack.append(-stack.pop())
        elif operation == Operation.END:
            (outcome,) = stack
            stack.clear()
            yield bool(outcome)
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_TWO_SIDED[operation](left, right))


def _about_agent(state: TownState, rules: Rules, town: int, agent: int) -> dict[Fact, float]:
    me, citizen = state.agents[town, agent], rules.citizens[agent]
    fridge = int(citizen.fridge)
    needs = dict(zip((Fact.HUNGER, Fact.HYGIENE, Fact.ENERGY), map(float, me.needs), strict=True))
    character = (Fact.EXTROVERSION, Fact.FORGIVENESS, Fact.AMBITION, Fact.PATIENCE, Fact.FRUGALITY)
    traits = zip(character, map(float, me.personality), strict=True)
    return {
        **needs,
        **dict(traits),
        Fact.WALLET: float(me.wallet),
        Fact.INGREDIENTS: float(me.ingredients),
        Fact.HOME_MEALS: float(state.fixtures[town, fridge].stock) if fridge >= 0 else 0.0,
        Fact.AT_HOME: float(rules.home_at[me.y, me.x] == citizen.home),
        Fact.AGENT_X: float(me.x),
        Fact.AGENT_Y: float(me.y),
    }


def _about_work(state: TownState, rules: Rules, town: int, agent: int) -> dict[Fact, float]:
    me, citizen, scalars = state.agents[town, agent], rules.citizens[agent], rules.scalars[0]
    minute = int(state.towns[town].tick) % int(scalars.day)
    size = len(me.attendance)
    latest = [float(me.attendance[k % size]) for k in range(int(me.shifts))][-int(scalars.attendance_window) :]
    return {
        Fact.LATENESS: float(me.lateness),
        Fact.ATTENDANCE: float(np.mean(latest)) if latest else 1.0,
        Fact.WAGES_WITHHELD: float(me.wages_withheld),
        Fact.ON_SHIFT: float(bool(me.employed) and citizen.shift_start <= minute < citizen.shift_end),
        Fact.SHIFT_STATE: float(me.shift_state),
        Fact.JOB: float(citizen.job if me.employed else -1),
    }


def _about_object(state: TownState, rules: Rules, town: int, agent: int, fixture: int) -> dict[Fact, float]:
    thing, rule = state.fixtures[town, fixture], rules.fixtures[fixture]
    return {
        Fact.OBJECT_TYPE: float(rule.type),
        Fact.STOCK: float(thing.stock),
        Fact.OCCUPIED: float(thing.user not in (-1, agent)),
        Fact.QUEUE_LENGTH: float(thing.waiting),
        Fact.OBJECT_X: float(rule.x),
        Fact.OBJECT_Y: float(rule.y),
    }


def _about_town(state: TownState, rules: Rules, town: int) -> dict[Fact, float]:
    common, day = state.towns[town], int(rules.scalars[0].day)
    tick = int(common.tick)
    return {
        Fact.TICK: float(tick),
        Fact.DAY: float(tick // day),
        Fact.MINUTE: float(tick % day),
        Fact.HOUR: float((tick % day) * 24 // day),
        Fact.POWER_ON: float(common.utilities[0]),
        Fact.WATER_ON: float(common.utilities[1]),
        Fact.WEATHER: float(common.weather),
    }
