"""A capture is decided by its inputs alone, records everything that happened, and is done once."""

import resource
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import CaptureRules, Scenario
from townlet_core.core import Simulation
from townlet_core.datasets import Store, capture, capture_seed
from townlet_core.datasets.capture import Exploration, explore
from townlet_core.datasets.records import capture_path
from townlet_core.datasets.schema import read_facts
from townlet_core.datasets.trajectory import read_columns
from townlet_core.errors import DataError, InputError
from townlet_core.policy.teacher import Teacher

DATE = "2026-11-01"


def episode(store: Store, digest: str, group: int = 0) -> dict[str, Any]:
    shard = store.open(digest)
    return read_columns(shard, group, tuple(shard.schema_arrow.names))


@pytest.mark.parametrize(("threads", "towns_at_once"), [(1, 1), (2, 3), (2, 4)])
def test_the_bytes_do_not_depend_on_threads_or_chunks(
    pristine: Any, scenario: Scenario, tmp_path: Path, threads: int, towns_at_once: int
) -> None:
    again = capture(
        scenario, DATE, Store(tmp_path), policy_factory=Teacher, threads=threads, towns_at_once=towns_at_once
    )
    assert again == pristine.captures[1]


def test_a_town_is_the_same_in_a_capture_of_fewer(pristine: Any, scenario: Scenario, tmp_path: Path) -> None:
    store = Store(tmp_path)
    alone = capture(
        scenario._replace(capture=CaptureRules(towns=1, days=1, exploration=0.1)), DATE, store, policy_factory=Teacher
    )
    first = episode(store, alone.digest)
    same = episode(pristine.store, pristine.captures[1].digest)
    assert all(np.array_equal(first[name], same[name]) for name in first)


def test_capturing_again_finds_the_first_capture(line: Any, scenario: Scenario) -> None:
    def refuses(sim: Simulation) -> Teacher:
        raise AssertionError("there was nothing to do")

    again = capture(scenario, DATE, line.store, policy_factory=refuses)
    assert again.reused
    assert again == line.captures[1]


def test_a_damaged_shard_is_captured_again_with_the_same_bytes(line: Any, scenario: Scenario) -> None:
    path = line.store.object_path(line.captures[1].digest)
    path.write_bytes(path.read_bytes()[:1000])
    again = capture(scenario, DATE, line.store, policy_factory=Teacher)
    assert not again.reused
    assert again == line.captures[1]
    assert line.store.holds(again.steps)


def test_another_date_is_another_capture(line: Any, scenario: Scenario) -> None:
    other = capture(scenario, "2026-11-02", line.store, policy_factory=Teacher)
    assert other.seed != line.captures[1].seed
    assert other.digest != line.captures[1].digest


def test_captures_and_evaluations_never_share_a_seed() -> None:
    dates = [f"2026-11-{day:02d}" for day in range(1, 31)]
    seeds = {capture_seed("a", date, purpose) for date in dates for purpose in ("capture", "evaluation")}
    assert len(seeds) == 60
    assert all(0 <= seed < 2**64 for seed in seeds)


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", "2026/11/01", "../../etc"])
def test_a_date_that_is_none_is_refused(scenario: Scenario, tmp_path: Path, date: str) -> None:
    with pytest.raises(InputError, match="not a date; write it as YYYY-MM-DD"):
        capture(scenario, date, Store(tmp_path / "s"), policy_factory=Teacher)
    assert not (tmp_path / "s").exists()


def test_labels_are_the_policys_and_some_decisions_explore(pristine: Any) -> None:
    rows = episode(pristine.store, pristine.captures[1].digest)
    decision = rows["decision"]
    strayed = rows["action"] != rows["expert"]
    assert not strayed[~decision].any()
    assert 0.01 < strayed[decision].mean() < 0.2
    legal = np.take_along_axis(rows["mask"], rows["action"][:, None].astype(int), axis=1)[:, 0]
    assert (legal[decision] == 1).all()


def test_without_exploration_the_policy_acts(scenario: Scenario, tmp_path: Path) -> None:
    store = Store(tmp_path)
    quiet = scenario._replace(capture=CaptureRules(towns=1, days=1, exploration=0.0))
    rows = episode(store, capture(quiet, DATE, store, policy_factory=Teacher).digest)
    assert np.array_equal(rows["action"], rows["expert"])


def test_exploring_always_takes_every_legal_option_equally_often(scenario: Scenario) -> None:
    sim = Simulation(scenario.config, 500, 1)
    draws = np.random.default_rng(1)
    exploration = Exploration(np.zeros((1, *sim.shape)), draws.random((1, *sim.shape)), 1.0)
    chosen = explore(np.zeros(sim.shape, np.int8), sim, exploration, 0)
    legal = sim.observation.mask
    assert np.take_along_axis(legal, chosen[..., None].astype(int), axis=2)[sim.decision].all()
    expected = (legal / legal.sum(axis=2, keepdims=True))[sim.decision].sum(axis=0)
    counts = np.bincount(chosen[sim.decision], minlength=legal.shape[2])
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected.max())


def test_a_recording_holds_what_the_simulation_gave(pristine: Any, scenario: Scenario) -> None:
    record = pristine.captures[1]
    rows = {
        name: array.reshape(8, 1440, *array.shape[1:])
        for name, array in episode(pristine.store, record.digest, 2).items()
    }
    sim = Simulation(scenario.config, 1, record.seed, first_town=2)
    for tick in range(200):
        observation = sim.observation
        assert np.array_equal(observation.map[0].reshape(8, -1), rows["map"][:, tick])
        assert np.array_equal(observation.features[0], rows["features"][:, tick])
        assert np.array_equal(observation.mask[0], rows["mask"][:, tick])
        assert np.array_equal(sim.decision[0], rows["decision"][:, tick])
        step = sim.step(rows["action"][:, tick][None])
        assert np.array_equal(step.reward[0], rows["reward"][:, tick])
        assert np.array_equal(sim.clipped[0], rows["clipped"][:, tick])


def test_an_episode_ends_with_its_last_tick_and_no_earlier(pristine: Any) -> None:
    rows = episode(pristine.store, pristine.captures[1].digest, 1)
    assert rows["tick"][rows["truncated"]].tolist() == [1439] * 8


def test_two_days_are_one_episode(scenario: Scenario, tmp_path: Path) -> None:
    store = Store(tmp_path)
    longer = scenario._replace(capture=CaptureRules(towns=1, days=2, exploration=0.0))
    record = capture(longer, DATE, store, policy_factory=Teacher)
    assert (record.ticks, record.rows) == (2880, 2880 * 8)
    rows = episode(store, record.digest)
    assert rows["tick"][rows["truncated"]].tolist() == [2879] * 8


def test_the_record_counts_what_the_shards_hold(pristine: Any) -> None:
    record = pristine.captures[0]
    steps, events = pristine.store.open(record.digest), pristine.store.open(record.events_digest)
    assert (steps.metadata.num_rows, events.metadata.num_rows) == (record.rows, record.event_rows)
    assert record.event_rows > 100
    sizes = [pristine.store.object_path(digest).stat().st_size for digest in (record.digest, record.events_digest)]
    assert sum(sizes) == record.bytes
    assert {len(values) for values in record.kpis.values()} == {record.towns}


def test_events_that_were_lost_are_counted(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pristine: Any
) -> None:
    assert pristine.captures[0].events_dropped == 0
    monkeypatch.setattr(Simulation, "events_dropped", property(lambda sim: 10 + sim.first_town))
    record = capture(scenario, DATE, Store(tmp_path), policy_factory=Teacher, towns_at_once=2)
    assert record.events_dropped == 10 + 12


@pytest.mark.parametrize("dies_at", [0, 100])
def test_a_capture_that_dies_leaves_nothing(scenario: Scenario, tmp_path: Path, dies_at: int) -> None:
    class Dying(Teacher):
        def act(self, sim: Simulation | None = None) -> Any:
            if self._sim.tick >= dies_at and self._sim.first_town > 0:
                raise RuntimeError("killed")
            return super().act(sim)

    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="killed"):
        capture(scenario, DATE, store, policy_factory=Dying, towns_at_once=2)
    assert store.records() == []
    assert list((tmp_path / "objects").iterdir()) == []
    assert not store.has_record(capture_path(scenario.name, DATE))


@pytest.mark.usefixtures("pristine")  # compiles the kernels while there is room for them
def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(scenario: Scenario, tmp_path: Path) -> None:
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, old[1]))
    try:
        with pytest.raises(DataError, match="cannot write: File too large; free space") as caught:
            capture(scenario, DATE, Store(tmp_path), policy_factory=Teacher)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "objects").iterdir()) == []
    assert Store(tmp_path).records() == []


def test_progress_reaches_the_end(scenario: Scenario, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    few = scenario._replace(capture=CaptureRules(towns=2, days=1, exploration=0.0))
    capture(few, DATE, Store(tmp_path), policy_factory=Teacher, towns_at_once=1, progress=lambda *now: told.append(now))
    assert told[-1] == (2880, 2880)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_a_capture_works_on_storage_beyond_the_disk(pristine: Any, scenario: Scenario) -> None:
    store = Store("memory://captures-elsewhere")
    assert capture(scenario, DATE, store, policy_factory=Teacher) == pristine.captures[1]
    shard = store.open(pristine.captures[1].digest)
    assert read_facts(shard, "memory").scenario == "ordinary_day"


def test_memory_holds_the_chunk_that_lives_and_the_one_that_is_written(scenario: Scenario, tmp_path: Path) -> None:
    def peak(towns: int) -> int:
        few = scenario._replace(capture=CaptureRules(towns=towns, days=1, exploration=0.1))
        tracemalloc.start()
        capture(few, DATE, Store(tmp_path / str(towns)), policy_factory=Teacher, towns_at_once=1)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(1) > 8 * 1440 * 700
    assert peak(6) < 1.2 * peak(2)
