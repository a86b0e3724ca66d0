"""Dismissal: who missed too many shifts waits in a queue for a review, and loses the job unless somebody defers it."""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.state import EXIT_APPROVED, EXIT_DEFERRED, EXIT_PENDING, NO_EXIT, NOBODY, SHIFT_OFF

PENDING = int(Event.EMPLOYMENT_EXIT_PENDING)
OVERFLOW = int(Event.EMPLOYMENT_EXIT_QUEUE_OVERFLOW)
MANUAL_REQUEST = int(Event.EMPLOYMENT_EXIT_MANUAL_REQUEST)
DEFERRED = int(Event.EMPLOYMENT_EXIT_DEFERRED)
PROCESSED = int(Event.EMPLOYMENT_EXIT_PROCESSED)

REASON_NAMES = ("manual_approve", "auto_review", "daily_cap")
MANUAL_APPROVE, AUTO_REVIEW, DAILY_CAP = range(3)
"""Why a dismissal went through: by hand, when its review ended, or later because the day's cap was reached then."""


@kernel
def absences_of_week(agent):  # type: ignore[no-untyped-def]
    """Return how many shifts of the latest seven days an agent missed."""
    total = 0
    for day in range(agent.absences.shape[0]):
        total += agent.absences[day]
    return total


@kernel
def propose_dismissal(town, rules, i):  # type: ignore[no-untyped-def]
    """Queue agent ``i`` for dismissal if it has missed too many shifts; a full queue turns it away until the next."""
    agent, common, scalars = town.agents[i], town.common, rules.scalars[0]
    missed = absences_of_week(agent)
    if scalars.max_absences == 0 or missed < scalars.max_absences or agent.exit_state != NO_EXIT:
        return
    if common.job_exits_pending >= scalars.job_exit_limit:
        emit(common, town.log, OVERFLOW, i, rules.citizens[i].workplace, -1, missed)
        return
    agent.exit_state = EXIT_PENDING
    agent.exit_since = common.tick
    common.job_exits_pending += 1
    emit(common, town.log, PENDING, i, rules.citizens[i].workplace, -1, missed)


@kernel
def leave_exit_queue(common, agent):  # type: ignore[no-untyped-def]
    """Take an agent out of the queue for dismissal, if it is in it."""
    if agent.exit_state != NO_EXIT:
        agent.exit_state = NO_EXIT
        common.job_exits_pending -= 1


@kernel
def dismiss(town, rules, i, reason):  # type: ignore[no-untyped-def]
    """End the employment of agent ``i``; it keeps its home and its money."""
    agent, common = town.agents[i], town.common
    leave_exit_queue(common, agent)
    agent.employed = 0
    agent.unemployed_at = common.tick
    agent.shift_state = SHIFT_OFF
    agent.shift_present = 0
    agent.shift_ticks = 0
    agent.away_ticks = 0
    agent.lateness = 0
    common.job_exits_today += 1
    emit(common, town.log, PROCESSED, i, rules.citizens[i].workplace, -1, reason)


@kernel
def _follow_instructions(town, rules):  # type: ignore[no-untyped-def]
    """Do what was decided by hand since the last tick; a dismissal by hand counts for the cap but is not held by it."""
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if agent.exit_state == EXIT_DEFERRED:
            leave_exit_queue(town.common, agent)
            emit(town.common, town.log, DEFERRED, i, rules.citizens[i].workplace, -1, 0.0)
        elif agent.exit_state == EXIT_APPROVED:
            emit(town.common, town.log, MANUAL_REQUEST, i, rules.citizens[i].workplace, -1, 0.0)
            dismiss(town, rules, i, MANUAL_APPROVE)


@kernel
def _first_in_queue(town):  # type: ignore[no-untyped-def]
    """Return who has waited longest for a review; the lower number where two came in the same tick."""
    first = NOBODY
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if agent.exit_state == EXIT_PENDING and (first < 0 or agent.exit_since < town.agents[first].exit_since):
            first = i
    return first


@kernel
def process_dismissals(town, rules):  # type: ignore[no-untyped-def]
    """Work through the queue: decisions by hand, then whose review has ended, in order, up to the day's cap."""
    common, review = town.common, rules.scalars[0].job_exit_review
    if common.job_exits_pending == 0:
        return
    _follow_instructions(town, rules)
    while common.job_exit_cap == 0 or common.job_exits_today < common.job_exit_cap:
        first = _first_in_queue(town)
        if first < 0 or common.tick - town.agents[first].exit_since < review:
            return
        waited = common.tick - town.agents[first].exit_since
        dismiss(town, rules, first, AUTO_REVIEW if waited == review else DAILY_CAP)
