"""Employment: the shift of the day, punctuality, attendance and wages.

Each day's shift goes through the same states: off, pre (time to set out), await_start (it begins soon, or began within
the grace), then on_time or late at work, late while away, absent once the patience is used up, and post.
"""

from townlet_core.kernels import kernel
from townlet_core.world.dismissal import propose_dismissal
from townlet_core.world.economy import pay, pay_wage
from townlet_core.world.events import Event, emit
from townlet_core.world.rules import WORKPLACE_CODE
from townlet_core.world.state import (
    SHIFT_ABSENT,
    SHIFT_AWAIT,
    SHIFT_LATE,
    SHIFT_OFF,
    SHIFT_ON_TIME,
    SHIFT_POST,
    SHIFT_PRE,
    USING,
    WEEK,
)

ON_TIME, LATE, LATE_START = int(Event.SHIFT_ON_TIME), int(Event.SHIFT_LATE), int(Event.SHIFT_LATE_START)
ABSENT, DEPARTED = int(Event.SHIFT_ABSENT), int(Event.SHIFT_DEPARTED_EARLY)
END = int(Event.SHIFT_END)
PUNCTUALITY_RAMP = 30.0
"""Ticks too early or too late over which the punctuality bonus falls linearly to nothing."""


@kernel
def minute_of_day(town, rules):  # type: ignore[no-untyped-def]
    """Return the minute since midnight."""
    return town.common.tick % rules.scalars[0].day


@kernel
def may_work(town, rules, i):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` has work now: from shortly before the shift until its end, as long as it has the job."""
    citizen = rules.citizens[i]
    minute = minute_of_day(town, rules)
    return town.agents[i].employed and citizen.shift_start - rules.scalars[0].pre_shift <= minute < citizen.shift_end


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
def _begin_shift(town, rules, agent):  # type: ignore[no-untyped-def]
    """Start the day's shift with a clean slate; what happened a week ago is forgotten."""
    agent.shift_state = SHIFT_AWAIT
    agent.shift_present = 0
    agent.shift_ticks = 0
    agent.away_ticks = 0
    agent.lateness = 0
    agent.was_punctual = 0
    agent.wages_withheld = 0.0
    agent.absences[town.common.tick // rules.scalars[0].day % WEEK] = 0


@kernel
def _arrive(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    on_time = minutes_late <= rules.scalars[0].grace
    agent.was_punctual = on_time
    agent.punctuality_signal = punctuality(town, agent, minutes_late)
    emit(town.common, town.log, ON_TIME if on_time else LATE, i, rules.citizens[i].workplace, -1, minutes_late)


@kernel
def _earn(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    """Spend a tick of the shift at work: it counts as attended, and is paid."""
    agent = town.agents[i]
    if agent.shift_present == 0:
        _arrive(town, rules, i, minutes_late)
    agent.shift_state = SHIFT_ON_TIME if agent.was_punctual else SHIFT_LATE
    agent.shift_present += 1
    agent.present_ticks += 1
    agent.away_ticks = 0


@kernel
def _miss_shift(town, rules, i, kind, ticks):  # type: ignore[no-untyped-def]
    """Count the shift as missed, once, for event ``kind``; too many in a week cost the job."""
    agent, day = town.agents[i], town.common.tick // rules.scalars[0].day % WEEK
    agent.shift_state = SHIFT_ABSENT
    if agent.absences[day]:
        return
    agent.absences[day] = 1
    agent.absent_shifts += 1
    pay(town.common, agent, min(agent.wallet, rules.scalars[0].absence_penalty), -1)
    emit(town.common, town.log, kind, i, rules.citizens[i].workplace, -1, ticks)
    propose_dismissal(town, rules, i)


@kernel
def _be_late(town, rules, i):  # type: ignore[no-untyped-def]
    """Pay for a tick at which one is wanted at work and not there."""
    agent = town.agents[i]
    agent.shift_state = SHIFT_LATE
    pay(town.common, agent, min(agent.wallet, rules.scalars[0].late_penalty), -1)


@kernel
def _be_missing(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    """Spend a tick of the shift elsewhere without having been at work: late after the grace, in the end absent."""
    agent, scalars, citizen = town.agents[i], rules.scalars[0], rules.citizens[i]
    if agent.shift_state == SHIFT_ABSENT or minutes_late <= scalars.grace:
        return
    if agent.lateness == 0:
        agent.late_shifts += 1
        pay(town.common, agent, min(agent.wallet, citizen.lateness_penalty), -1)
        emit(town.common, town.log, LATE_START, i, citizen.workplace, -1, minutes_late)
    agent.lateness += 1
    _be_late(town, rules, i)
    if minutes_late >= scalars.absent_cutoff:
        _miss_shift(town, rules, i, ABSENT, minutes_late)


@kernel
def _be_away(town, rules, i):  # type: ignore[no-untyped-def]
    """Spend a tick of the shift elsewhere after having been at work: a break at first, then absence."""
    agent = town.agents[i]
    agent.away_ticks += 1
    if agent.shift_state == SHIFT_ABSENT:
        return
    _be_late(town, rules, i)
    if agent.away_ticks > rules.scalars[0].absence_slack:
        _miss_shift(town, rules, i, DEPARTED, agent.away_ticks)


@kernel
def minutes_due(town, rules, i, minute):  # type: ignore[no-untyped-def]
    """Return for how many minutes agent ``i`` has been wanted at the shift that runs; negative: not yet.

    A newcomer has as long to come to its first shift as everybody has before one.
    """
    arrived, scalars = town.agents[i].arrived_at, rules.scalars[0]
    due = minute - rules.citizens[i].shift_start
    return due if arrived == scalars.start_tick else min(due, town.common.tick - arrived - scalars.pre_shift)


@kernel
def _work_shift(town, rules, i, minute):  # type: ignore[no-untyped-def]
    agent, wage = town.agents[i], rules.citizens[i].wage
    if minute == rules.citizens[i].shift_start:
        _begin_shift(town, rules, agent)
    if agent.worked:
        agent.wage_signal = 1.0 if pay_wage(town.common, agent, wage) else -1.0
    due = minutes_due(town, rules, i, minute)
    if due < 0:
        agent.shift_state = SHIFT_AWAIT
        return
    agent.shift_ticks += 1
    agent.scheduled_ticks += 1
    if agent.worked:
        _earn(town, rules, i, due)
    else:
        _withhold(town, rules, i, due)


@kernel
def _withhold(town, rules, i, minutes_late):  # type: ignore[no-untyped-def]
    """Withhold the wage of a tick at which one is not at work; within the grace nothing else happens."""
    agent = town.agents[i]
    if agent.shift_present > 0:
        _be_away(town, rules, i)
    else:
        _be_missing(town, rules, i, minutes_late)
    if minutes_late > rules.scalars[0].grace:
        agent.wages_withheld += rules.citizens[i].wage
        agent.wage_signal = -1.0


@kernel
def _end_shift(town, rules, i):  # type: ignore[no-untyped-def]
    agent, workplace = town.agents[i], rules.citizens[i].workplace
    attended = agent.shift_present / agent.shift_ticks
    agent.attendance[agent.shifts % agent.attendance.shape[0]] = attended
    agent.shifts += 1
    if agent.shift_state != SHIFT_ABSENT and agent.away_ticks > rules.scalars[0].grace:
        emit(town.common, town.log, DEPARTED, i, workplace, -1, agent.away_ticks)
    agent.shift_state = SHIFT_POST
    agent.shift_present = 0
    agent.shift_ticks = 0
    agent.away_ticks = 0
    agent.lateness = 0
    emit(town.common, town.log, END, i, workplace, -1, attended)


@kernel
def _await_shift(scalars, agent, early):  # type: ignore[no-untyped-def]
    """Set the state ``early`` minutes before a shift."""
    agent.shift_state = SHIFT_OFF
    if early <= scalars.await_start:
        agent.shift_state = SHIFT_AWAIT
    elif early <= scalars.pre_shift:
        agent.shift_state = SHIFT_PRE


@kernel
def advance_shift(town, rules, i):  # type: ignore[no-untyped-def]
    """Move agent ``i`` through the states of the day's shift and pay or withhold this tick's wage."""
    agent, citizen, scalars = town.agents[i], rules.citizens[i], rules.scalars[0]
    minute = minute_of_day(town, rules)
    agent.wage_signal = 0.0
    agent.punctuality_signal = 0.0
    note_presence(town, agent)
    if agent.employed:
        # A shift that ends at midnight ends at minute 0 of the next day.
        if minute == citizen.shift_end % scalars.day and agent.shift_ticks > 0:
            _end_shift(town, rules, i)
        if citizen.shift_start <= minute < citizen.shift_end:
            _work_shift(town, rules, i, minute)
        elif minute < citizen.shift_start:
            _await_shift(scalars, agent, citizen.shift_start - minute)
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
