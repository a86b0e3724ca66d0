"""Invitations: who is called to an arranged meet, and where."""

from townlet_core.agents.options import summon
from townlet_core.kernels import EVENTS, kernel, uniform
from townlet_core.world.disturbances import AT_RANDOM, FRIENDS
from townlet_core.world.employment import minute_of_day
from townlet_core.world.events import Event, emit
from townlet_core.world.state import NOBODY, USING
from townlet_core.world.ties import slot_of

INVITED = int(Event.INVITED)
WELL = 0.3
"""A need below this excuses from meetings."""
WAY = 30
"""Ticks that must be left between a meeting's end and a shift."""
INDIFFERENT = 0.0


@kernel
def _is_on_duty(town, rules, i, ticks):  # type: ignore[no-untyped-def]
    """Say whether a shift of agent ``i`` falls into the next ``ticks`` or the way after them; never without a job."""
    if not town.agents[i].employed:
        return False
    citizen, minute = rules.citizens[i], minute_of_day(town, rules)
    begins = citizen.shift_start - rules.scalars[0].pre_shift
    return minute < citizen.shift_end and minute + ticks + WAY > begins


@kernel
def _may_come(town, rules, i, ticks):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    if not agent.alive or agent.meeting or agent.phase == USING or town.common.tick < agent.meet_ready_at:
        return False
    well = min(agent.needs[0], agent.needs[1], agent.needs[2]) >= WELL
    return well and not _is_on_duty(town, rules, i, ticks)


@kernel
def _draw_guest(town, rules, ticks):  # type: ignore[no-untyped-def]
    """Draw one of those who may come, each as likely as the others; -1 if there is none."""
    free = 0
    for i in range(town.agents.shape[0]):
        free += _may_come(town, rules, i, ticks)
    if free == 0:
        return NOBODY
    left = int(uniform(town.common.streams, EVENTS) * free)
    for i in range(town.agents.shape[0]):
        if _may_come(town, rules, i, ticks):
            if left == 0:
                return i
            left -= 1
    return NOBODY


@kernel
def _bond(ties, host, j, who):  # type: ignore[no-untyped-def]
    """Return how much ``host`` likes ``j``, or, for rivals, how much it dislikes; 0 for a stranger."""
    k = slot_of(ties, host, j)
    if k < 0:
        return INDIFFERENT
    tie = ties[host, k]
    return tie.trust + tie.familiarity - tie.rivalry if who == FRIENDS else tie.rivalry + 0.0


@kernel
def _closest_guest(town, rules, host, who, ticks):  # type: ignore[no-untyped-def]
    """Return who of those who may come is the host's closest friend or keenest rival; -1 if there is none."""
    best, most = NOBODY, INDIFFERENT
    for j in range(town.agents.shape[0]):
        if _may_come(town, rules, j, ticks):
            bond = _bond(town.ties, host, j, who)
            if bond > most:
                best, most = j, bond
    return best


@kernel
def _guests_found(town, rules, slot, spec, ticks):  # type: ignore[no-untyped-def]
    """Put agents down for the meeting of an event; returns how many."""
    host = _draw_guest(town, rules, ticks)
    guest, count = host, 0
    while guest != NOBODY and count < spec.participants:
        town.agents[guest].meeting = slot + 1
        count += 1
        if spec.who == AT_RANDOM:
            guest = _draw_guest(town, rules, ticks)
        else:
            guest = _closest_guest(town, rules, host, spec.who, ticks)
    return count


@kernel
def invite(town, rules, slot, k, ticks):  # type: ignore[no-untyped-def]
    """Call people together for event ``k`` in ``slot``, for so many ticks.

    Returns:
        The object at which they meet, or -1 if fewer than two can come; then nobody is called.
    """
    spec = rules.perturbations[k]
    enough = _guests_found(town, rules, slot, spec, ticks) >= 2
    first, after = rules.ranges[spec.where], rules.ranges[spec.where + 1]
    place = int(first) + int(uniform(town.common.streams, EVENTS) * (after - first))
    for i in range(town.agents.shape[0]):
        if town.agents[i].meeting == slot + 1:
            town.agents[i].meeting = 0
            if enough:
                summon(town, rules, i, slot, place)
                emit(town.common, town.log, INVITED, i, place, k, ticks)
    return place if enough else NOBODY
