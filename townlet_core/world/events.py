"""Events: what happened, as rows of numbers that telemetry turns into words."""

from enum import IntEnum

import numpy as np

from townlet_core.kernels import kernel


class Event(IntEnum):
    """What an event row says; ``subject`` is an agent unless stated otherwise."""

    AFFORDANCE_START = 0
    AFFORDANCE_FINISH = 1
    AFFORDANCE_FAIL = 2
    QUEUE_JOIN = 3
    QUEUE_LEAVE = 4
    GHOST_STEP = 5
    SHIFT_ON_TIME = 6
    SHIFT_LATE = 7
    SHIFT_ABSENT = 8
    SHIFT_END = 9
    RENT_PAID = 10
    RENT_UNPAID = 11
    RESTOCK = 12
    OUTAGE_BEGIN = 13
    OUTAGE_END = 14
    FAINT = 15
    NIGHTLY_RESET = 16
    HANDOVER = 17
    SHARED_MEAL = 18
    HELPED_WHEN_LATE = 19
    TOOK_SHIFT = 20
    CHAT_SUCCESS = 21
    CHAT_FAILURE = 22
    AVOIDANCE = 23
    TIE_FORMED = 24
    TIE_LOST = 25
    WEATHER_CHANGE = 26
    TRUCK_ARRIVES = 27
    SPOILED = 28
    PERTURBATION_STARTED = 29
    PERTURBATION_ENDED = 30
    PERTURBATION_CANCELLED = 31
    INVITED = 32
    AFFORDANCE_PRECONDITION_FAIL = 33
    SHIFT_LATE_START = 34
    SHIFT_DEPARTED_EARLY = 35
    EMPLOYMENT_EXIT_PENDING = 36
    EMPLOYMENT_EXIT_QUEUE_OVERFLOW = 37
    EMPLOYMENT_EXIT_MANUAL_REQUEST = 38
    EMPLOYMENT_EXIT_DEFERRED = 39
    EMPLOYMENT_EXIT_PROCESSED = 40
    COLLAPSE = 41
    EXPOSURE = 42
    EVICTION = 43
    UNEMPLOYMENT = 44
    CHRONIC_NEED = 45
    AGE_OUT = 46
    AGENT_KILLED = 47
    ARRIVAL = 48
    SLOT_REUSE_FORCED = 49


EVENT_NAMES = tuple(event.name.lower() for event in Event)

USES = (Event.AFFORDANCE_START, Event.AFFORDANCE_FINISH, Event.AFFORDANCE_FAIL, Event.AFFORDANCE_PRECONDITION_FAIL)
OUTAGES = (Event.OUTAGE_BEGIN, Event.OUTAGE_END)
PERTURBATIONS = (Event.PERTURBATION_STARTED, Event.PERTURBATION_ENDED, Event.PERTURBATION_CANCELLED)
SUBJECTLESS = (
    *OUTAGES, *PERTURBATIONS,
    Event.RESTOCK, Event.NIGHTLY_RESET, Event.WEATHER_CHANGE, Event.TRUCK_ARRIVES, Event.SPOILED,
)  # fmt: skip
"""What happens to the town as a whole, or to an object."""
BETWEEN_TWO = (
    Event.GHOST_STEP, Event.HANDOVER, Event.SHARED_MEAL, Event.HELPED_WHEN_LATE, Event.TOOK_SHIFT, Event.CHAT_SUCCESS,
    Event.CHAT_FAILURE, Event.AVOIDANCE, Event.TIE_FORMED, Event.TIE_LOST,
)  # fmt: skip
"""What always has a second agent."""
SECONDS = {
    "affordance": USES,
    "utility": OUTAGES,
    "weather": (Event.WEATHER_CHANGE,),
    "perturbation": (*PERTURBATIONS, Event.INVITED),
}
"""What ``other`` numbers where it is no agent."""

EVENT_DTYPE = np.dtype(
    [
        ("tick", "i4"),
        ("town", "i4"),
        ("kind", "i2"),
        ("subject", "i2"),
        ("object", "i2"),
        ("other", "i2"),
        ("value", "f4"),
    ]
)
"""One event row. ``subject`` and ``other`` (but see ``SECONDS``) are agents, ``object`` a fixture; -1: none."""


@kernel
def emit(town, log, kind, subject, fixture, other, value):  # type: ignore[no-untyped-def]
    """Append an event to a town's rows of this tick ``log`` [capacity]; a full log counts what it drops."""
    if town.event_count >= log.shape[0]:
        town.events_dropped += 1
        return
    row = log[town.event_count]
    row.tick = town.tick
    row.town = town.number
    row.kind = kind
    row.subject = subject
    row.object = fixture
    row.other = other
    row.value = value
    town.event_count += 1


@kernel
def begin_log(town, log):  # type: ignore[no-untyped-def]
    """Begin a tick's rows with those that came after the last tick had ended: what somebody did from outside."""
    kept = max(town.event_count - town.events_told, 0)
    for e in range(kept):
        row, source = log[e], log[town.events_told + e]
        row.tick = town.tick
        row.town = source.town
        row.kind = source.kind
        row.subject = source.subject
        row.object = source.object
        row.other = source.other
        row.value = source.value
    town.event_count = kept
