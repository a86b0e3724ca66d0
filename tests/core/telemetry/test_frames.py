"""A snapshot and the diffs after it are the whole state at every tick; nothing that is sent grows with time."""

import gc
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.telemetry.streams import ForgetfulSink, MemorySink, Told, default_town, settings, told
from townlet_core.config import canonical_json
from townlet_core.core import Simulation
from townlet_core.errors import DataError
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.canaries import Canaries
from townlet_core.telemetry.diffs import difference, patched
from townlet_core.telemetry.frames import town_state
from townlet_core.telemetry.mirror import Mirror, read_frames
from townlet_core.telemetry.privacy import Identities
from townlet_core.telemetry.sender import Sender
from townlet_core.telemetry.stream import TelemetryStream
from townlet_core.telemetry.windows import DayWindow

LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 1) | st.lists(st.integers(0, 2) | st.booleans())
STATES = st.dictionaries(
    st.sampled_from("abcd"),
    st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), max_leaves=12),
)


@pytest.fixture(scope="module")
def day() -> Told:
    return told(1500, towns=2, town=1)


@given(STATES, STATES)
def test_a_difference_laid_over_the_old_state_is_the_new_one(old: dict[str, Any], new: dict[str, Any]) -> None:
    changed, removed = difference(old, new)
    assert canonical_json(patched(old, changed, removed)) == canonical_json(new)


@given(STATES)
def test_no_change_is_an_empty_difference(state: dict[str, Any]) -> None:
    assert difference(state, json.loads(json.dumps(state))) == ({}, [])


def test_what_was_never_there_cannot_be_taken_out() -> None:
    with pytest.raises(DataError, match=r"frame: a\.c: is gone, but was never there"):
        patched({"a": {"b": 1}}, {}, [["a", "c"]])


def test_the_diffs_give_the_full_state_at_every_tick() -> None:
    """The state that a reader has is compared with the one that the town itself gives, with alerts coming and going."""
    config, sink = settings(), MemorySink()
    sim = Simulation(default_town(), 2, 11)
    stream, teacher, window = TelemetryStream(sim, config, Sender(config, sink), 1), Teacher(sim), DayWindow(sim, 1)
    wanted = [town_state(sim, 1, Identities(None), window.figures(), {})]
    for tick in range(400):
        sim.advance(teacher.act())
        window.observe()
        alerts = {"starvation": tick} if tick // 50 % 2 else {}
        stream.observe(alerts)
        wanted.append(town_state(sim, 1, Identities(None), window.figures(), alerts))
    stream.close()
    mirror, lines = Mirror(), sink.data.splitlines()
    assert len(lines) == len(wanted)
    for frame, state in zip(read_frames(lines, "memory"), wanted, strict=True):
        assert mirror.apply(frame) == json.loads(canonical_json(state))


def test_every_line_is_canonical_and_numbered(day: Told) -> None:
    assert [canonical_json(frame) for frame in day.frames] == day.data.splitlines()
    assert [frame["seq"] for frame in day.frames] == list(range(1501))
    assert [frame["tick"] for frame in day.frames] == list(range(360, 1861))


def test_the_stream_begins_with_a_snapshot_and_repeats_it(day: Told) -> None:
    snapshots = [frame["seq"] for frame in day.frames if frame["kind"] == "snapshot"]
    assert snapshots == [0, 1440]
    assert day.frames[0]["run"]["town"] == 1


def test_events_are_named_and_belong_to_the_town(day: Told) -> None:
    events = [event for frame in day.frames for event in frame["events"]]
    assert {"affordance_finish", "shift_end", "nightly_reset"} <= {event["event"] for event in events}
    assert all(event["tick"] == frame["tick"] for frame in day.frames for event in frame["events"])


def test_fewer_frames_carry_the_same_events() -> None:
    every, tenth = told(600), told(600, settings(frames={"every_ticks": 10}))
    assert len(tenth.frames) == 61
    assert [e for f in tenth.frames for e in f["events"]] == [e for f in every.frames for e in f["events"]]


def test_frames_do_not_grow_with_time() -> None:
    """The mean frame of the third day is as long as that of the second, but for the digits of the tick."""
    days = told(3 * 1440, settings(frames={"snapshot_every": 100_000}))
    sizes = [len(canonical_json(frame)) for frame in days.frames]
    second, third = sum(sizes[1440:2880]) / 1440, sum(sizes[2880:4320]) / 1440
    assert third < 1.1 * second
    assert max(sizes[1:]) < 2 * sizes[0]


def test_the_last_day_window_forgets() -> None:
    """After a day of idling, everybody has missed the shift and died, for good; a day later nothing is known of it."""
    import numpy as np

    town = default_town(3)
    alone = town.lifecycle.arrivals.model_copy(update={"enabled": False})
    free = {"arrivals": alone, "exits_per_day": 0, "exit_cooldown_ticks": 0}
    lifecycle = town.lifecycle.model_copy(update=free)
    sim = Simulation(town.model_copy(update={"lifecycle": lifecycle}), 1, 3)
    window, idle = DayWindow(sim), np.zeros(sim.shape, np.int8)
    figures = []
    for _ in range(3 * 1440):
        sim.advance(idle)
        window.observe()
        figures.append(window.figures())
    assert figures[1439]["lateness"] == pytest.approx(30.0)
    assert figures[1439]["attendance"] == 0.0
    assert figures[-1]["lateness"] is None
    assert figures[-1]["survival"] is None
    assert min(figure["survival"] for figure in figures if figure["survival"] is not None) == 0.0


def test_the_day_window_agrees_with_the_figures_of_the_engine() -> None:
    sim = Simulation(default_town(), 1, 5)
    window, teacher = DayWindow(sim), Teacher(sim)
    for _ in range(1440):
        sim.advance(teacher.act())
        window.observe()
    kpis, figures = {name: values[0] for name, values in sim.kpis().items()}, window.figures()
    for name in ("attendance", "needs_ok_share", "survival", "conflicts"):
        assert figures[name] == pytest.approx(kpis[name], abs=1e-6)


@pytest.fixture(scope="module")
def often() -> Told:
    """Sixty frames with a snapshot at every tenth."""
    return told(59, settings(frames={"snapshot_every": 10}))


@given(st.sets(st.integers(0, 59)))
def test_whatever_is_lost_a_reader_never_believes_what_is_not_true(often: Told, lost: set[int]) -> None:
    truth, mirror = Mirror(), Mirror()
    for frame in often.frames:
        true_state = truth.apply(frame)
        if frame["seq"] not in lost:
            believed = mirror.apply(frame)
            assert believed is None or believed == true_state
    if not lost & set(range(50, 60)):
        assert mirror.state == truth.state


def test_what_a_stream_holds_does_not_grow_with_time() -> None:
    """Everything that was allocated by the telemetry since the first day's end is smaller than a dozen frames."""
    config, sim = settings(), Simulation(default_town(3), 1, 3)
    stream, teacher = TelemetryStream(sim, config, Sender(config, ForgetfulSink())), Teacher(sim)
    canaries = Canaries(sim, config.canaries)

    def live(ticks: int) -> int:
        for _ in range(ticks):
            sim.step(teacher.act())
            canaries.observe()
            stream.observe(canaries.calling())
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    live(1440)
    tracemalloc.start()
    try:
        before = live(200)
        grown = live(1240) - before
    finally:
        tracemalloc.stop()
    stream.close()
    assert grown < 64_000


def test_a_gap_is_counted_and_the_reader_waits_for_a_snapshot(day: Told) -> None:
    mirror = Mirror()
    for frame in day.frames[:100] + day.frames[110:]:
        mirror.apply(frame)
        if 110 <= frame["seq"] < 1440:
            assert mirror.state is None
    assert mirror.missed == 10 + 1330
    assert mirror.state is not None


def test_lost_frames_are_followed_by_a_snapshot() -> None:
    """The target breaks for a while; what could not be sent is counted, and the reader catches up by itself."""
    config = settings(buffer={"max_bytes": 16_384, "max_batch": 1})
    sim, sink = Simulation(default_town(), 1, 3), MemorySink()
    stream, teacher = TelemetryStream(sim, config, sender := Sender(config, sink)), Teacher(sim)
    while not sink.data:
        pass
    sink.fail = 6
    for _ in range(300):
        sim.advance(teacher.act())
        stream.observe()
    while sink.fail:
        pass
    for _ in range(50):
        sim.advance(teacher.act())
        stream.observe()
    status = stream.close()
    mirror = Mirror()
    for frame in read_frames(sink.data.splitlines(), "memory"):
        mirror.apply(frame)
    assert status.dropped == 351 - status.sent > 0
    assert sender.status.last_error == "the line is dead"
    assert mirror.state is not None
    assert mirror.state["clock"]["tick"] == 360 + 350
