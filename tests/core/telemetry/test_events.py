"""Event rows become words: who, where, with whom, and how much of what."""

import json
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.events import VALUE_UNITS, NamedEvent, count_events, event_table, named_events
from townlet_core.world.events import EVENT_DTYPE, EVENT_NAMES, Event
from townlet_core.world.rules import Names

SMALL = Path(__file__).parents[1] / "config" / "small" / "towns" / "small.yaml"
NAMES = Names(
    agents=("agent_1", "agent_2"),
    fixtures=("bed_1", "shower_1", "till_1"),
    affordances=("sleep", "wash"),
    options=("idle",),
    jobs=("clerk",),
)


def row(kind: Event, subject: int = -1, thing: int = -1, other: int = -1, value: float = 0.0) -> np.ndarray:
    return np.array([(7, 3, kind, subject, thing, other, value)], EVENT_DTYPE)


def decoded(rows: np.ndarray) -> NamedEvent:
    return next(iter(named_events(rows, NAMES)))


def test_a_use_names_agent_object_and_affordance() -> None:
    event = decoded(row(Event.AFFORDANCE_START, 1, 1, 1, 20.0))
    assert event == NamedEvent(7, 3, "affordance_start", "agent_2", "shower_1", "wash", 20.0, "ticks to go")


def test_an_outage_names_its_utility_and_no_agent() -> None:
    event = decoded(row(Event.OUTAGE_BEGIN, other=1))
    assert event == NamedEvent(7, 3, "outage_begin", None, None, "water", None, None)


def test_a_queue_names_the_one_who_is_using_the_object() -> None:
    event = decoded(row(Event.QUEUE_JOIN, 0, 1, 1, 2.0))
    assert (event.agent, event.other, event.value, event.unit) == ("agent_1", "agent_2", 2.0, "waiting")


def test_a_value_of_zero_is_a_value_where_the_event_has_one() -> None:
    assert decoded(row(Event.SHIFT_ON_TIME, 0, 2)).value == 0.0
    assert decoded(row(Event.NIGHTLY_RESET)).value is None


@pytest.mark.parametrize("kind", list(Event))
def test_every_kind_is_decoded_under_its_own_name(kind: Event) -> None:
    event = decoded(row(kind))
    assert event.event == kind.name.lower()
    assert event.unit == VALUE_UNITS.get(kind)


@pytest.mark.parametrize(
    ("kind", "unit"),
    [
        (Event.HANDOVER, "ticks waited"),
        (Event.CHAT_SUCCESS, "quality"),
        (Event.CHAT_FAILURE, "quality"),
        (Event.TIE_FORMED, "strength"),
        (Event.TIE_LOST, "strength"),
    ],
)
def test_company_names_both_and_how_much_of_what(kind: Event, unit: str) -> None:
    event = decoded(row(kind, 0, other=1, value=0.5))
    assert (event.agent, event.other, event.value, event.unit) == ("agent_1", "agent_2", 0.5, unit)


@pytest.mark.parametrize("kind", [Event.SHARED_MEAL, Event.HELPED_WHEN_LATE, Event.TOOK_SHIFT, Event.AVOIDANCE])
def test_what_people_are_to_each_other_names_both_and_no_amount(kind: Event) -> None:
    event = decoded(row(kind, 0, 1, 1))
    assert event[2:] == (kind.name.lower(), "agent_1", "shower_1", "agent_2", None, None, None)


def test_the_table_has_a_row_per_event_in_order() -> None:
    rows = np.concatenate([row(Event.FAINT, 0), row(Event.RENT_PAID, 1, value=6.5)])
    table = event_table(rows, NAMES)
    assert table.column("event").to_pylist() == ["faint", "rent_paid"]
    assert table.column_names == list(NamedEvent._fields)
    assert event_table(rows[:0], NAMES).num_rows == 0


def test_counts_name_every_kind_also_those_that_never_happened() -> None:
    counts = count_events(np.array([Event.FAINT, Event.FAINT, Event.RESTOCK]))
    assert (counts["faint"], counts["restock"], counts["ghost_step"]) == (2, 1, 0)
    assert list(counts) == list(EVENT_NAMES)


def test_a_living_town_tells_whole_sentences() -> None:
    sim = Simulation(load_config(SMALL), towns=2, seed=3)
    sim.reset()
    teacher, events = Teacher(sim), []
    for _ in range(720):
        events += named_events(sim.step(teacher.act()).events.rows, sim.names)
    uses = [event for event in events if event.event == "affordance_finish"]
    assert {event.town for event in events} == {0, 1}
    assert {event.other for event in uses} <= {"eat", "fill_fridge", "wash", "sleep", "sell", "buy"}
    assert all(event.object.split("_")[0] in {"fridge", "shower", "bed", "till", "shelf"} for event in uses)
    assert all(event.agent in {"agent_1", "agent_2"} for event in uses)
    assert any(event.event.startswith("shift") and event.object == "till_1" for event in events)


def test_events_keep_their_numbers() -> None:
    """Saved towns hold events as numbers: a new event is appended, here and to the golden file, and none is moved."""
    golden = json.loads((Path(__file__).parent / "golden" / "events.json").read_text())
    assert {event.name.lower(): int(event) for event in Event} == golden
    assert sorted(golden.values()) == list(range(len(golden)))
