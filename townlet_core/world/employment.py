"""Employment: the shift of the day, punctuality, attendance and wages."""

from townlet_core.kernels import kernel
from townlet_core.world.economy import pay, pay_wage
from townlet_core.world.events import Event, emit
from townlet_core.world.rules import WORKPLACE_CODE
from townlet_core.world.state import (
    SHIFT_ABSENT,
    SHIFT_LATE,
    SHIFT_OFF,
    SHIFT_ON_TIME,
    SHIFT_POST,
    SHIFT_PRE,
    USING,
)

ON_TIME, LATE = int(Event.SHIFT_ON_TIME), int(Event.SHIFT_LATE)
ABSENT, END = int(Event.SHIFT_ABSENT), int(Event.SHIFT_END)
PUNCTUALITY_RAMP = 30.0
"""Ticks too early or too late over which the punctuality bonus falls linearly to nothing."""


@kernel
def minute_of_day(town, rules):  # type: ignore[no-untyped-def]
    """Return the minute since midnight."""
    return town.common.tick % rules.scalars[0].day


@kernel
def may_work(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` may be at work now: from shortly before the shift until its end."""
    citizen = rules.citizens[i]
    minute = minute_of_day(town, rules)
    return citizen.shift_start - rules.scalars[0].pre_shift <= minute < citizen.shift_end


@kernel
def is_working(rules, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent is at work right now."""
    return agent.phase == USING and rules.affordances[agent.affordance].type == WORKPLACE_CODE


@kernel
def note_presence(town, agent):  # type: ignore[no-untyped-def]
    """Remember since when an agent has been at work without a break."""
    if not agent.worked:
        agent.at_work_since = 0
    elif agent.at_work_since == 0:
        agent.at_work_since = town.common.tick


@kernel
def punctuality(town, agent, minutes_late):  # type: ignore[no-untyped-def]
    """Return how punctual the first tick of a shift's work is, 0..1: a triangle with its peak at the shift's start."""
    early = town.common.tick - agent.at_work_since
    return max(0.0, 1.0 - max(minutes_late, early) / PUNCTUALITY_RAMP)


@kernel
def _arrive(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    on_time = minutes_late <= rules.scalars[0].grace
    agent.shift_state = SHIFT_ON_TIME if on_time else SHIFT_LATE
    agent.punctuality_signal = punctuality(town, agent, minutes_late)
    emit(town.common, town.log, ON_TIME if on_time else LATE, i, rules.citizens[i].workplace, -1, minutes_late)


@kernel
def _be_missing(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    """Count a tick of lateness before the first work of a shift; it costs money and, in the end, the shift."""
    agent, scalars, citizen = town.agents[i], rules.scalars[0], rules.citizens[i]
    if minutes_late <= scalars.grace:
        return
    if agent.lateness == 0:
        pay(town.common, agent, min(agent.wallet, citizen.lateness_penalty), -1)
        agent.shift_state = SHIFT_LATE
    pay(town.common, agent, min(agent.wallet, scalars.late_penalty), -1)
    agent.lateness += 1
    agent.wages_withheld += citizen.wage
    agent.wage_signal = -1.0
    if minutes_late == scalars.absent_cutoff:
        agent.shift_state = SHIFT_ABSENT
        emit(town.common, town.log, ABSENT, i, citizen.workplace, -1, minutes_late)


@kernel
def _work_shift(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    agent.scheduled_ticks += 1
    if not agent.worked:
        if agent.shift_present == 0:
            _be_missing(town, rules, i, minutes_late)
        return
    if agent.shift_present == 0:
        _arrive(town, rules, i, minutes_late)
    agent.shift_present += 1
    agent.present_ticks += 1
    agent.wage_signal = 1.0 if pay_wage(town.common, agent, rules.citizens[i].wage) else -1.0


@kernel
def _end_shift(town, rules, i):  # type: ignore[no-untyped-def]
    agent, citizen = town.agents[i], rules.citizens[i]
    attended = agent.shift_present / (citizen.shift_end - citizen.shift_start)
    agent.attendance[agent.shifts % agent.attendance.shape[0]] = attended
    agent.shifts += 1
    agent.shift_state = SHIFT_POST
    agent.shift_present = 0
    agent.lateness = 0
    emit(town.common, town.log, END, i, citizen.workplace, -1, attended)


@kernel
def advance_shift(town, rules, i):  # type: ignore[no-untyped-def]
    """Move agent ``i`` through the states of the day's shift and pay or withhold this tick's wage."""
    agent, citizen = town.agents[i], rules.citizens[i]
    minute = minute_of_day(town, rules)
    agent.wage_signal = 0.0
    agent.punctuality_signal = 0.0
    note_presence(town, agent)
    if citizen.shift_start <= minute < citizen.shift_end:
        _work_shift(town, rules, i, minute - citizen.shift_start)
    elif minute == citizen.shift_end:
        _end_shift(town, rules, i)
    elif minute < citizen.shift_start:
        early = citizen.shift_start - minute
        agent.shift_state = SHIFT_PRE if early <= rules.scalars[0].pre_shift else SHIFT_OFF
    agent.worked = 0


@kernel
def attendance_ratio(rules, agent):  # type: ignore[no-untyped-def]
    """Return the mean attendance of the latest shifts, 0..1; 1 before the first."""
    count = min(agent.shifts, rules.scalars[0].attendance_window)
    if count == 0:
        return 1.0
    total = 0.0
    for back in range(1, count + 1):
        total += agent.attendance[(agent.shifts - back) % agent.attendance.shape[0]]
    return total / count
