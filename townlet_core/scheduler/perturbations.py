"""Perturbations: when what upsets the day begins and ends, and the bounds within which chance may let it begin.

Chance draws the day's perturbations at midnight, as outages are; what cannot begin when it should is tried again later
the same day. In between, a town only compares its clock with the next tick at which anything may change.
"""

from townlet_core.agents.options import finish_option
from townlet_core.kernels import EVENTS, kernel, uniform, uniform_between
from townlet_core.scheduler.invitations import invite
from townlet_core.world.disturbances import ARRANGED_MEET, BLACKOUT, CHAOS_HOUR, OUTAGE
from townlet_core.world.events import Event, emit
from townlet_core.world.prices import set_prices
from townlet_core.world.state import EVENT_ASKED, EVENT_CANCELLED, EVENT_FREE, EVENT_LASTING, NOBODY

STARTED, ENDED = int(Event.PERTURBATION_STARTED), int(Event.PERTURBATION_ENDED)
CANCELLED = int(Event.PERTURBATION_CANCELLED)
POWER, WATER = 0, 1
RETRY_TICKS = 15
NEVER = 2**31 - 1


@kernel
def plan_perturbations(town, rules):  # type: ignore[no-untyped-def]
    """Draw the day's perturbations. Each draws the same two numbers whether or not it comes true."""
    common, scalars = town.common, rules.scalars[0]
    day = common.tick // scalars.day
    common.overlap_left = scalars.overlap_ticks
    for k in range(rules.perturbations.shape[0]):
        happens = uniform(common.streams, EVENTS) < rules.perturbations[k].probability
        due = day * scalars.day + int(uniform_between(common.streams, EVENTS, 0.0, scalars.day))
        common.event_due[k] = due if happens and day >= scalars.not_before_day and due >= common.tick else -1
    _set_alarm(town, rules)


@kernel
def _set_alarm(town, rules):  # type: ignore[no-untyped-def]
    """Note the next tick at which something may begin or end."""
    common, soonest = town.common, NEVER
    for k in range(rules.perturbations.shape[0]):
        if common.event_due[k] >= 0:
            soonest = min(soonest, common.event_due[k])
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_LASTING:
            soonest = min(soonest, common.event_end[slot])
    common.event_wake = soonest


@kernel
def _free_slot(common):  # type: ignore[no-untyped-def]
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_FREE:
            return slot
    return -1


@kernel
def _count_lasting(common):  # type: ignore[no-untyped-def]
    count = 0
    for slot in range(common.event_phase.shape[0]):
        count += common.event_phase[slot] == EVENT_LASTING
    return count


@kernel
def _apply_events(town, rules):  # type: ignore[no-untyped-def]
    """Bring utilities, haste and prices in line with the events that last now."""
    common = town.common
    common.event_cut[:] = 0
    common.event_haste = 1.0
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_LASTING:
            kind = rules.perturbations[common.event_spec[slot]].kind
            common.event_cut[POWER] |= kind in (BLACKOUT, CHAOS_HOUR)
            common.event_cut[WATER] |= kind in (OUTAGE, CHAOS_HOUR)
            if kind == CHAOS_HOUR:
                common.event_haste *= common.event_value[slot]
    common.events_lasting = _count_lasting(common)
    set_prices(common, rules)


@kernel
def _end(town, rules, slot, kind):  # type: ignore[no-untyped-def]
    """Free a slot and tell that its event ended (``kind`` of the row); it may not return before its cooldown."""
    common, scalars, k = town.common, rules.scalars[0], town.common.event_spec[slot]
    for i in range(town.agents.shape[0]):
        if town.agents[i].meeting == slot + 1:
            finish_option(town.agents[i], 1)
            town.agents[i].meet_ready_at = common.tick + scalars.agent_cooldown
    common.event_phase[slot] = EVENT_FREE
    common.event_ready_at[k] = common.tick + rules.perturbations[k].cooldown
    common.event_quiet_until = common.tick + scalars.global_cooldown
    common.event_grace_until = common.tick + scalars.grace_window
    emit(common, town.log, kind, -1, common.event_place[slot], k, common.event_id[slot])


@kernel
def _end_what_is_over(town, rules):  # type: ignore[no-untyped-def]
    common = town.common
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_CANCELLED:
            _end(town, rules, slot, CANCELLED)
        elif common.event_phase[slot] == EVENT_LASTING and common.event_end[slot] <= common.tick:
            _end(town, rules, slot, ENDED)


@kernel
def _drawn(common, asked, bounds, whole):  # type: ignore[no-untyped-def]
    """Return what was asked for, or draw it from its range (of whole numbers, ends included, if ``whole``)."""
    luck = uniform_between(common.streams, EVENTS, bounds[0], bounds[1] + whole)
    if asked > 0:
        return float(asked)
    return float(int(luck)) if whole else luck


@kernel
def _begin(town, rules, slot, k):  # type: ignore[no-untyped-def]
    """Begin event ``k`` in a slot that holds what was asked for. Returns whether it could: a meet needs people."""
    common, spec = town.common, rules.perturbations[k]
    ticks = int(_drawn(common, common.event_ticks[slot], spec.duration, 1))
    common.event_value[slot] = _drawn(common, common.event_value[slot], spec.magnitude, 0)
    place = NOBODY
    if spec.kind == ARRANGED_MEET:
        place = invite(town, rules, slot, k, ticks)
        if place == NOBODY:
            return False
    common.event_place[slot] = place
    common.event_end[slot] = common.tick + ticks
    common.event_phase[slot] = EVENT_LASTING
    emit(common, town.log, STARTED, -1, place, k, common.event_id[slot])
    return True


@kernel
def _begin_what_is_asked(town, rules):  # type: ignore[no-untyped-def]
    """Begin what somebody asked for, whatever the bounds; what cannot begin is called off."""
    common = town.common
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_ASKED and not _begin(town, rules, slot, common.event_spec[slot]):
            common.event_phase[slot] = EVENT_FREE
            emit(common, town.log, CANCELLED, -1, -1, common.event_spec[slot], common.event_id[slot])


@kernel
def _overlap_of(common, ticks):  # type: ignore[no-untyped-def]
    """Return for how many of the next ticks at least one of today's events would have company."""
    latest = common.tick
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_LASTING:
            latest = max(latest, common.event_end[slot])
    return min(latest - common.tick, ticks)


@kernel
def _is_within_bounds(town, rules, k):  # type: ignore[no-untyped-def]
    """Say whether chance may let event ``k`` begin now."""
    common, scalars = town.common, rules.scalars[0]
    if _count_lasting(common) >= scalars.max_concurrent or common.tick < common.event_quiet_until:
        return False
    if _overlap_of(common, rules.perturbations[k].duration[1]) > common.overlap_left:
        return False
    used_up = 0 < scalars.events_per_window <= common.event_counts[k]
    if used_up and common.event_windows[k] == common.tick // scalars.event_window:
        return False
    return common.tick >= common.event_ready_at[k]


@kernel
def _count_in_window(common, scalars, k):  # type: ignore[no-untyped-def]
    window = common.tick // scalars.event_window
    if common.event_windows[k] != window:
        common.event_windows[k] = window
        common.event_counts[k] = 0
    common.event_counts[k] += 1


@kernel
def _try_by_chance(town, rules, k):  # type: ignore[no-untyped-def]
    """Let event ``k`` begin if the bounds allow it. Returns whether it did."""
    common = town.common
    slot = _free_slot(common)
    if slot < 0 or not _is_within_bounds(town, rules, k):
        return False
    overlap = _overlap_of(common, rules.perturbations[k].duration[1])
    common.event_ticks[slot] = 0
    common.event_value[slot] = 0.0
    common.event_spec[slot] = k
    common.event_id[slot] = common.event_serial + 1
    if not _begin(town, rules, slot, k):
        return False
    common.event_serial += 1
    common.overlap_left -= overlap
    _count_in_window(common, rules.scalars[0], k)
    return True


@kernel
def _begin_what_is_due(town, rules):  # type: ignore[no-untyped-def]
    """Begin what is due; what cannot is tried again a little later, as long as the day lasts."""
    common, day = town.common, rules.scalars[0].day
    for k in range(rules.perturbations.shape[0]):
        if not 0 <= common.event_due[k] <= common.tick:
            continue
        if _try_by_chance(town, rules, k):
            common.event_due[k] = -1
        else:
            later = common.tick + RETRY_TICKS
            common.event_due[k] = later if later // day == common.tick // day else -1


@kernel
def advance_perturbations(town, rules):  # type: ignore[no-untyped-def]
    """End and begin what is to end or begin in this tick."""
    if rules.perturbations.shape[0] == 0 or town.common.tick < town.common.event_wake:
        return
    _end_what_is_over(town, rules)
    _begin_what_is_asked(town, rules)
    _begin_what_is_due(town, rules)
    _apply_events(town, rules)
    _set_alarm(town, rules)
