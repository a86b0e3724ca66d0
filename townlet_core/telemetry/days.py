"""What a captured day looked like: which option the citizens followed at each hour, and how their needs went."""

import json
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from townlet_core.config import NEED_NAMES
from townlet_core.errors import DataError

HOURS = 24
"""Parts of the day in which options are counted, whatever the ticks of a day."""

SLOTS = 96
"""Parts of the day in which needs are counted; quarters of an hour when a tick is a minute."""

LEVELS = 200
"""Steps of a need's level between 0 and 1 in which it is counted."""

_COLUMNS = ["tick", "decision", "action", "clipped", "features"]


class DayProfile(NamedTuple):
    """Counts over all citizens, days and towns of some shards, from which shares and percentiles follow.

    Attributes:
        scenario: Name of the scenario.
        actions: Names of the options.
        action_counts: int64 [HOURS, actions], ticks that citizens followed each option, by hour of the day.
        decision_counts: int64 [HOURS, actions], decisions for each option, by hour of the day.
        need_counts: int64 [needs, SLOTS, LEVELS], ticks that each need stood at each level, by part of the day.
        clipped: Ticks whose reward was cut by the clip.
    """

    scenario: str
    actions: tuple[str, ...]
    action_counts: NDArray[np.int64]
    decision_counts: NDArray[np.int64]
    need_counts: NDArray[np.int64]
    clipped: int

    @property
    def ticks(self) -> int:
        """Ticks lived by all citizens together."""
        return int(self.action_counts.sum())

    @property
    def decisions(self) -> int:
        """Ticks among them that were decisions."""
        return int(self.decision_counts.sum())

    def action_shares(self) -> NDArray[np.float64]:
        """Share of an hour's ticks that went to each option, [HOURS, actions]; 0 for an hour that nobody lived."""
        total = self.action_counts.sum(axis=1, keepdims=True)
        shares = np.zeros(self.action_counts.shape)
        np.divide(self.action_counts, total, out=shares, where=total > 0)
        return shares

    def need_means(self) -> NDArray[np.float64]:
        """Mean level of each need by part of the day, [needs, SLOTS]; NaN where nobody lived."""
        total = self.need_counts.sum(axis=2)
        weighted = self.need_counts @ _level_middles()
        means = np.full(total.shape, np.nan)
        np.divide(weighted, total, out=means, where=total > 0)
        return means

    def need_percentile(self, share: float) -> NDArray[np.float64]:
        """Level that `share` of the citizens were at or below, [needs, SLOTS], to within one level's width."""
        below = self.need_counts.cumsum(axis=2)
        total = below[:, :, -1]
        reached = below >= np.maximum(share * total, 1.0)[:, :, None]
        return np.where(total > 0, _level_middles()[reached.argmax(axis=2)], np.nan)


def day_profile(shards: Iterable[pq.ParquetFile]) -> DayProfile:
    """Count a day's options and needs over steps shards of one scenario, one row group in memory at a time.

    Args:
        shards: Opened steps shards; their metadata names scenario, layout and clock.

    Raises:
        DataError: There is no shard, or a shard is damaged, is no steps shard or belongs to another scenario.
    """
    profiles = [_of_shard(shard) for shard in shards]
    if not profiles:
        raise DataError("day profile: there is no shard to read; capture a day first")
    first = profiles[0]
    if any((other.scenario, other.actions) != (first.scenario, first.actions) for other in profiles):
        raise DataError(
            "day profile: the shards are of different scenarios or options; profile each scenario by itself"
        )
    return reduce(_added, profiles)


def _added(one: DayProfile, other: DayProfile) -> DayProfile:
    return one._replace(
        action_counts=one.action_counts + other.action_counts,
        decision_counts=one.decision_counts + other.decision_counts,
        need_counts=one.need_counts + other.need_counts,
        clipped=one.clipped + other.clipped,
    )


class _Clock(NamedTuple):
    start: int
    day: int

    def part(self, ticks: NDArray[Any], parts: int) -> NDArray[np.int64]:
        """Which of the day's equal parts each tick since the episode's beginning falls in."""
        return (ticks.astype(np.int64) + self.start) % self.day * parts // self.day


def _of_shard(shard: pq.ParquetFile) -> DayProfile:
    layout, clock = _fact(shard, "layout"), _fact(shard, "config")["clock"]
    names = [spec["name"] for spec in layout["features"]]
    needs = [names.index(f"need_{need}") for need in NEED_NAMES]
    actions = tuple(layout["actions"])
    hour_by_action = np.zeros((2, HOURS, len(actions)), np.int64)
    levels = np.zeros((len(NEED_NAMES), SLOTS, LEVELS), np.int64)
    clipped = 0
    for rows in _row_groups(shard):
        _count_rows(rows, _Clock(clock["start_tick"], clock["ticks_per_day"]), needs, hour_by_action, levels)
        clipped += int(rows["clipped"].sum())
    return DayProfile(_fact(shard, "scenario"), actions, hour_by_action[0], hour_by_action[1], levels, clipped)


def _count_rows(
    rows: dict[str, NDArray[Any]],
    clock: _Clock,
    needs: list[int],
    hour_by_action: NDArray[np.int64],
    levels: NDArray[np.int64],
) -> None:
    hour, slot = clock.part(rows["tick"], HOURS), clock.part(rows["tick"], SLOTS)
    decided = rows["decision"].astype(bool)
    hour_by_action[0] += _histogram(hour, rows["action"], hour_by_action.shape[1:])
    hour_by_action[1] += _histogram(hour[decided], rows["action"][decided], hour_by_action.shape[1:])
    for index, column in enumerate(needs):
        level = np.clip(rows["features"][:, column] * LEVELS, 0, LEVELS - 1)
        levels[index] += _histogram(slot, level, levels.shape[1:])


def _histogram(row: NDArray[Any], column: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
    cells = row.astype(np.int64) * shape[1] + column.astype(np.int64)
    counts: NDArray[np.int64] = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    return counts


def _row_groups(shard: pq.ParquetFile) -> Iterator[dict[str, NDArray[Any]]]:
    for index in range(shard.num_row_groups):
        try:
            table = shard.read_row_group(index, columns=_COLUMNS, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"day profile: row group {index} cannot be read, the shard is damaged: {error}") from error
        yield {name: _numbers(table.column(name).combine_chunks()) for name in _COLUMNS}


def _numbers(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_fixed_size_list(column.type):
        flat: NDArray[Any] = column.flatten().to_numpy(zero_copy_only=False)
        return flat.reshape(len(column), column.type.list_size)
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return values


def _fact(shard: pq.ParquetFile, key: str) -> Any:
    value = (shard.metadata.metadata or {}).get(f"townlet.{key}".encode())
    if value is None:
        raise DataError(f"day profile: the shard's metadata lacks '{key}'; name a captured steps shard")
    return json.loads(value)


def _level_middles() -> NDArray[np.float64]:
    return (np.arange(LEVELS) + 0.5) / LEVELS
