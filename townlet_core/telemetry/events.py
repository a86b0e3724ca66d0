"""Event rows put into words: who did what, where, with whom, and how much of what unit."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.world.events import EVENT_NAMES, SECONDS, Event
from townlet_core.world.rules import Names
from townlet_core.world.state import UTILITY_NAMES

_ENDS = (
    Event.COLLAPSE, Event.EXPOSURE, Event.EVICTION, Event.UNEMPLOYMENT, Event.CHRONIC_NEED, Event.AGE_OUT,
    Event.AGENT_KILLED,
)  # fmt: skip

VALUE_UNITS = {
    Event.AFFORDANCE_START: "ticks to go",
    Event.AFFORDANCE_FINISH: "ticks used",
    Event.AFFORDANCE_FAIL: "ticks used",
    Event.QUEUE_JOIN: "waiting",
    Event.QUEUE_LEAVE: "ticks waited",
    Event.SHIFT_ON_TIME: "ticks late",
    Event.SHIFT_LATE: "ticks late",
    Event.SHIFT_ABSENT: "ticks late",
    Event.SHIFT_END: "share attended",
    Event.RENT_PAID: "coins",
    Event.RENT_UNPAID: "coins",
    Event.RESTOCK: "pieces",
    Event.FAINT: "days here",
    Event.HANDOVER: "ticks waited",
    Event.CHAT_SUCCESS: "quality",
    Event.CHAT_FAILURE: "quality",
    Event.TIE_FORMED: "strength",
    Event.TIE_LOST: "strength",
    Event.WEATHER_CHANGE: "ticks from pause to pause",
    Event.SPOILED: "pieces",
    Event.PERTURBATION_STARTED: "number",
    Event.PERTURBATION_ENDED: "number",
    Event.PERTURBATION_CANCELLED: "number",
    Event.INVITED: "ticks",
    Event.AFFORDANCE_PRECONDITION_FAIL: "number of the condition",
    Event.SHIFT_LATE_START: "ticks late",
    Event.SHIFT_DEPARTED_EARLY: "ticks away",
    Event.EMPLOYMENT_EXIT_PENDING: "shifts missed",
    Event.EMPLOYMENT_EXIT_QUEUE_OVERFLOW: "shifts missed",
    Event.EMPLOYMENT_EXIT_PROCESSED: "reason",
    **dict.fromkeys(_ENDS, "days here"),
    Event.ARRIVAL: "coins",
    Event.SLOT_REUSE_FORCED: "ticks rested",
}
"""What the value of an event counts; kinds that are not listed carry none."""


class NamedEvent(NamedTuple):
    """One event in words; None where the event has no such part.

    `other` is the affordance of a use, the utility of an outage, the weather, the perturbation, otherwise the second
    agent. `value` is in `unit`. `reason` is the precondition that did not hold, as the manifest has it.
    """

    tick: int
    town: int
    event: str
    agent: str | None
    object: str | None
    other: str | None
    value: float | None
    unit: str | None
    reason: str | None = None


def named_events(rows: NDArray[Any], names: Names) -> Iterator[NamedEvent]:
    """Decode event rows one by one, in their order.

    Args:
        rows: Structured array with the fields of an event row (an `episode` field may stand for `town`).
        names: What the numbers mean, as the town's rules were compiled.
    """
    columns = event_table(rows, names).to_pylist()
    return (NamedEvent(**row) for row in columns)


def event_table(rows: NDArray[Any], names: Names) -> pa.Table:
    """Decode event rows into a table with the columns of `NamedEvent`; names are dictionary-encoded."""
    kinds = rows["kind"].astype(np.int64)
    town = rows["town"] if "town" in (rows.dtype.names or ()) else rows["episode"]
    units = tuple(VALUE_UNITS.get(event) for event in Event)
    counted = np.array([unit is not None for unit in units])[kinds]
    columns = {
        "tick": pa.array(rows["tick"].astype(np.int64)),
        "town": pa.array(town.astype(np.int64)),
        "event": _named(kinds, EVENT_NAMES),
        "agent": _named(rows["subject"], names.agents),
        "object": _named(rows["object"], names.fixtures),
        "other": _named(_other_numbers(rows, names), tuple(chain(*_others(names)))),
        "value": pa.array(rows["value"].astype(np.float64), mask=~counted),
        "unit": _named(np.where(counted, kinds, -1), tuple(unit or "" for unit in units)),
        "reason": _reasons(rows, names),
    }
    return pa.table(columns)


def count_events(kinds: NDArray[Any]) -> dict[str, int]:
    """Count events by name, in the order of the kinds; a kind that never happened counts 0."""
    counts = np.bincount(kinds.astype(np.int64), minlength=len(EVENT_NAMES))
    return {name: int(count) for name, count in zip(EVENT_NAMES, counts, strict=True)}


def _other_numbers(rows: NDArray[Any], names: Names) -> NDArray[np.int64]:
    """Number the `other` parts within the lists of `_others`, one after another; -1 stays -1."""
    kinds, other = rows["kind"], rows["other"].astype(np.int64)
    starts = np.cumsum([len(part) for part in _others(names)])
    for group, start in zip(SECONDS.values(), starts, strict=False):
        other = np.where(np.isin(kinds, group) & (other >= 0), other + start, other)
    return np.where(other < 0, -1, other)


def _others(names: Names) -> tuple[tuple[str, ...], ...]:
    """What the `other` part of an event may be: agents, then what each group of events names."""
    return names.agents, names.affordances, UTILITY_NAMES, WEATHER_NAMES, names.perturbations


def _reasons(rows: NDArray[Any], names: Names) -> pa.DictionaryArray:
    """Find the text of each precondition that failed, by its affordance and its number within it."""
    texts = [text for requires in names.requires for text in requires]
    first = np.cumsum([0, *(len(requires) for requires in names.requires)])
    failed = rows["kind"] == Event.AFFORDANCE_PRECONDITION_FAIL
    numbers = np.full(len(rows), -1, np.int64)
    numbers[failed] = first[rows["other"][failed]] + rows["value"][failed].astype(np.int64)
    return _named(np.where(numbers < len(texts), numbers, -1), texts)


def _named(numbers: NDArray[Any], names: Sequence[str]) -> pa.DictionaryArray:
    indices = pa.array(numbers.astype(np.int32), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string()))
