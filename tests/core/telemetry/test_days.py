"""A captured day is counted by hour and by quarter, straight from its shard."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from townlet_core.datasets.schema import ShardFacts, arrow_schema, shape_of, steps_columns, to_metadata
from townlet_core.errors import DataError
from townlet_core.telemetry.days import HOURS, SLOTS, day_profile

FEATURES = ("wallet", "need_hunger", "need_hygiene", "need_energy")
ACTIONS = ("idle", "work")
LAYOUT = {
    "window": 3,
    "channels": ["terrain"],
    "features": [{"name": name, "low": 0.0, "high": 1.0, "unit": ""} for name in FEATURES],
    "actions": list(ACTIONS),
}


def facts(start: int, scenario: str, ticks: int) -> ShardFacts:
    """What a capture of one citizen says about itself; a day has 1440 ticks."""
    return ShardFacts(
        kind="steps", scenario=scenario, date="2026-11-01", seed=1, towns=1, agents=1, ticks=ticks, exploration=0.0,
        policy="teacher", layout=LAYOUT, layout_digest="0", config_digest="0", code="0", event_names=(),
        config={"clock": {"start_tick": start, "ticks_per_day": 1440}},
    )  # fmt: skip


def shard(
    path: Path, action: list[int], hunger: list[float], *, start: int = 360, scenario: str = "plain"
) -> pq.ParquetFile:
    """A steps shard with two row groups, in the format of a capture; every second tick a decision."""
    count = len(action)
    schema = arrow_schema(steps_columns(shape_of(LAYOUT)))
    rows = {field.name: [0] * count for field in schema}
    rows |= {name: [False] * count for name in ("terminated", "truncated")}
    rows |= {"tick": list(range(count)), "decision": [i % 2 == 0 for i in range(count)], "action": action}
    rows |= {"map": [[0] * 9] * count, "mask": [[1, 1]] * count, "clipped": [i == 0 for i in range(count)]}
    rows["features"] = [[0.0, level, 0.0, 0.0] for level in hunger]
    metadata = to_metadata(facts(start, scenario, count))
    pq.write_table(pa.table(rows, schema=schema.with_metadata(metadata)), path, row_group_size=(count + 1) // 2)
    return pq.ParquetFile(path)


def test_ticks_fall_into_the_hours_of_the_clock(tmp_path: Path) -> None:
    day = day_profile([shard(tmp_path / "s.parquet", [0] * 60 + [1] * 60, [0.5] * 120)])
    assert day.action_counts[6].tolist() == [60, 0]
    assert day.action_counts[7].tolist() == [0, 60]
    assert day.action_shares()[7].tolist() == [0.0, 1.0]
    assert (day.ticks, day.decisions, day.clipped) == (120, 60, 1)


def test_the_clock_goes_past_midnight(tmp_path: Path) -> None:
    day = day_profile([shard(tmp_path / "s.parquet", [1] * 120, [0.5] * 120, start=1380)])
    assert day.action_counts[:, 1].tolist() == [60, *[0] * (HOURS - 2), 60]


def test_hours_that_nobody_lived_have_no_share_and_no_need(tmp_path: Path) -> None:
    day = day_profile([shard(tmp_path / "s.parquet", [0] * 60, [0.5] * 60)])
    assert day.action_shares()[5].tolist() == [0.0, 0.0]
    assert np.isnan(day.need_means()[0, 0])
    assert np.isnan(day.need_percentile(0.1)[0, 0])


def test_means_and_percentiles_of_needs_come_from_the_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    hunger = rng.uniform(0.1, 0.9, 15)
    day = day_profile([shard(tmp_path / "s.parquet", [0] * 15, hunger.tolist())])
    slot = 6 * SLOTS // 24
    assert day.need_means()[0, slot] == pytest.approx(hunger.mean(), abs=0.005)
    assert day.need_percentile(0.5)[0, slot] == pytest.approx(np.median(hunger), abs=0.005)
    assert day.need_percentile(0.01)[0, slot] == pytest.approx(hunger.min(), abs=0.005)


def test_days_of_one_scenario_add_up(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.parquet", [0] * 60, [0.2] * 60)
    other = shard(tmp_path / "b.parquet", [1] * 60, [0.8] * 60)
    both = day_profile([one, other])
    assert both.action_shares()[6].tolist() == [0.5, 0.5]
    assert both.need_means()[0, 24] == pytest.approx(0.5, abs=0.005)


def test_scenarios_are_not_mixed(tmp_path: Path) -> None:
    one = shard(tmp_path / "a.parquet", [0] * 4, [0.2] * 4)
    other = shard(tmp_path / "b.parquet", [0] * 4, [0.2] * 4, scenario="other")
    with pytest.raises(DataError, match="different scenarios"):
        day_profile([one, other])


def test_no_shard_is_no_day() -> None:
    with pytest.raises(DataError, match="capture a day first"):
        day_profile([])


def test_a_file_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"tick": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="metadata lacks 'layout'"):
        day_profile([pq.ParquetFile(tmp_path / "x.parquet")])


def test_damaged_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    shard(path, [0] * 2000, np.random.default_rng(0).uniform(size=2000).tolist())
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"\x00" * (len(content) // 2 - 4)
    path.write_bytes(content)
    with pytest.raises(DataError, match="row group 0 cannot be read"):
        day_profile([pq.ParquetFile(path)])
