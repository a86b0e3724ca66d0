"""What an agent knows of itself and its day: body, time, work, and what it is doing."""

from townlet_core.config.options import OPTION_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.dismissal import absences_of_week
from townlet_core.world.employment import attendance_ratio, minute_of_day
from townlet_core.world.state import NO_EXIT, PHASE_NAMES, SHIFT_NAMES, USING, WEEK

OPTIONS = len(OPTION_NAMES)
SHIFTS = len(SHIFT_NAMES)
PHASES = len(PHASE_NAMES)


@kernel
def write_one_hot(out, k, index, size):  # type: ignore[no-untyped-def]
    """Write ``size`` numbers from ``k`` on, 1 at ``index`` and 0 elsewhere."""
    for position in range(size):
        out[k + position] = 1.0 if position == index else 0.0
    return k + size


@kernel
def write_body(town, rules, i, out, k):  # type: ignore[no-untyped-def]
    """Write the body block from position ``k``; returns the position after it, as all of these do."""
    agent, fridge = town.agents[i], rules.citizens[i].fridge
    for need in range(3):
        out[k + need] = agent.needs[need]
    out[k + 3] = min(agent.wallet, 50.0) / 50.0
    out[k + 4] = min(agent.wallet, 5.0) / 5.0
    out[k + 5] = min(agent.ingredients, 16) / 16.0
    out[k + 6] = town.fixtures[fridge].stock / max(rules.fixtures[fridge].capacity, 1) if fridge >= 0 else 0.0
    out[k + 7] = town.common.utilities[0]
    out[k + 8] = town.common.utilities[1]
    return k + 9


@kernel
def write_time(town, rules, i, sine, cosine, out, k):  # type: ignore[no-untyped-def]
    """Write the time block; the sine and cosine of the day's angle are the same for the whole town."""
    citizen, scalars = rules.citizens[i], rules.scalars[0]
    minute = minute_of_day(town, rules)
    until = citizen.shift_start - minute
    at_shift = citizen.shift_start <= minute < citizen.shift_end
    out[k] = sine
    out[k + 1] = cosine
    out[k + 2] = min(until, 120) / 120.0 if until > 0 else (0.0 if at_shift else 1.0)
    out[k + 3] = (minute - citizen.shift_start) / (citizen.shift_end - citizen.shift_start) if at_shift else 0.0
    out[k + 4] = min((town.common.tick - scalars.start_tick) / scalars.episode_ticks, 1.0)
    return k + 5


@kernel
def write_work(rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the work block."""
    out[k] = min(agent.lateness, 60) / 60.0
    out[k + 1] = attendance_ratio(rules, agent)
    out[k + 2] = min(agent.wages_withheld, 10.0) / 10.0
    return write_one_hot(out, k + 3, agent.shift_state, SHIFTS)


@kernel
def write_security(rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the security block from ``k`` on."""
    out[k] = agent.employed
    out[k + 1] = 1.0 if agent.exit_state != NO_EXIT else 0.0
    out[k + 2] = absences_of_week(agent) / WEEK
    out[k + 3] = min(agent.unpaid_days, 7) / 7.0
    out[k + 4] = agent.slot / rules.scalars[0].slots
    return k + 5


@kernel
def write_deeds(rules, agent, i, out, k):  # type: ignore[no-untyped-def]
    """Write the deeds block: option and phase, how far they are, how the last one ended, and where one stands."""
    k = write_one_hot(out, k, agent.option, OPTIONS)
    k = write_one_hot(out, k, agent.phase, PHASES)
    out[k] = min(agent.option_ticks, 180) / 180.0
    out[k + 1] = agent.progress / agent.duration if agent.phase == USING else 0.0
    out[k + 2] = agent.last_success
    out[k + 3] = min(agent.last_duration, 180) / 180.0
    out[k + 4] = agent.context_reset
    out[k + 5] = 1.0 if rules.fixture_at[agent.y, agent.x] >= 0 else 0.0
    out[k + 6] = 1.0 if rules.home_at[agent.y, agent.x] == rules.citizens[i].home else 0.0
    return k + 7
