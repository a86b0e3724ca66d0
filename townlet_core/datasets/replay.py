"""Replaying: a shard's actions run through the engine again must give the same towns, to the bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import ValidationError
from upath import UPath

from townlet_core.config import TownConfig, config_digest
from townlet_core.core import Simulation
from townlet_core.datasets.comparing import Difference, Labels, first_event_difference, first_step_difference, labels_of
from townlet_core.datasets.rollout import Choice, Chooser, record
from townlet_core.datasets.schema import ShardFacts, read_facts, shape_of
from townlet_core.datasets.store import OBJECT_NAME, PARQUET, open_parquet
from townlet_core.datasets.trajectory import EVENT_FIELDS, Trajectory, allocate, read_columns
from townlet_core.errors import DataError
from townlet_core.files import file_digest
from townlet_core.world.events import EVENT_NAMES

PLACE = ("episode", "agent", "tick")


class ReplayReport(NamedTuple):
    """What a replay found.

    Attributes:
        shard: the replayed file.
        scenario: its scenario.
        date: its capture date.
        episodes: episodes that were replayed, up to the first that differs.
        rows: steps that were compared.
        events: events that were compared.
        difference: the first difference, or None.
        digest_matches: whether the file is what its name says; None for a file that is not named by a digest.
    """

    shard: str
    scenario: str
    date: str
    episodes: int
    rows: int
    events: int
    difference: Difference | None
    digest_matches: bool | None

    @property
    def identical(self) -> bool:
        """Whether the engine gave exactly what was recorded and the file is what its name says."""
        return self.difference is None and self.digest_matches is not False

    def __str__(self) -> str:
        what = f"{self.shard} ({self.scenario}, {self.date})"
        if self.difference is not None:
            return f"{what}: {self.difference}"
        if self.digest_matches is False:
            return f"{what}: replays alike, but the file is not what its name says; restore it or capture it again"
        return f"{what}: {self.rows} steps and {self.events} events of {self.episodes} episodes are identical"


def replay(
    shard: UPath | Path | str,
    *,
    threads: int = 1,
    towns_at_once: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Run a steps shard's recorded actions through the engine again and compare every observation, reward and event.

    Needs nothing but the shard and, in the same folder, its events shard.

    Args:
        shard: a steps shard, wherever it lies.
        threads: threads of the engine.
        towns_at_once: towns in memory at a time.
        progress: called with episodes done and in all.

    Raises:
        DataError: a file is missing, damaged, or not a complete steps shard.
    """
    path = UPath(shard)
    source = _opened(path)
    labels = labels_of(source.facts.layout)
    rows = events = done = 0
    difference = None
    while difference is None and done < source.facts.towns:
        towns = min(towns_at_once, source.facts.towns - done)
        part = _replayed(source, done, towns, threads)
        difference = _difference(part, done, labels)
        rows, events = rows + part.rows, events + part.event_count
        done += towns
        if progress:
            progress(done, source.facts.towns)
    return ReplayReport(
        str(path), source.facts.scenario, source.facts.date, done, rows, events, difference, _named_well(path)
    )


class _Source(NamedTuple):
    name: str
    shard: pq.ParquetFile
    facts: ShardFacts
    config: TownConfig
    events: NDArray[Any]


class _Part(NamedTuple):
    recorded: Trajectory
    replayed: Trajectory
    recorded_events: list[NDArray[Any]]
    replayed_events: list[NDArray[Any]]

    @property
    def rows(self) -> int:
        return self.recorded.reward.size

    @property
    def event_count(self) -> int:
        return sum(len(events) for events in self.recorded_events)


def _opened(path: UPath) -> _Source:
    shard = open_parquet(path)
    facts = read_facts(shard, str(path))
    if facts.kind != "steps":
        raise DataError(f"{path}: an {facts.kind} shard; name the steps shard that was captured with it")
    if shard.num_row_groups != facts.towns:
        raise DataError(f"{path}: {shard.num_row_groups} of {facts.towns} episodes; capture it again")
    config = _config(facts, path)
    _require_same_names(facts, config, path)
    return _Source(str(path), shard, facts, config, _events(facts, path))


def _require_same_names(facts: ShardFacts, config: TownConfig, path: UPath) -> None:
    if Simulation(config).layout.digest != facts.layout_digest or facts.event_names != EVENT_NAMES:
        raise DataError(
            f"{path}: captured with the observations or events of other code ({facts.code[:12]}…); capture it again"
        )


def _config(facts: ShardFacts, path: UPath) -> TownConfig:
    try:
        config = TownConfig.model_validate_json(json.dumps(facts.config))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(
            f"{path}: its configuration is of other code ({key}: {first['msg']}); capture it again"
        ) from None
    if config_digest(config) != facts.config_digest:
        raise DataError(f"{path}: its configuration does not match its digest; restore the shard or capture it again")
    return config


def _events(facts: ShardFacts, path: UPath) -> NDArray[Any]:
    place = path.parent / f"{facts.events}{PARQUET}"
    if not place.exists():
        raise DataError(f"{place}: missing; put the events shard of {path.name} beside it")
    if file_digest(place) != facts.events:
        raise DataError(f"{place}: damaged; restore the events shard or capture it again")
    table = open_parquet(place).read(columns=["episode", *EVENT_FIELDS])
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    rows = np.empty(table.num_rows, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def _replayed(source: _Source, first: int, towns: int, threads: int) -> _Part:
    facts = source.facts
    recorded = _recorded(source, first, towns)
    sim = Simulation(source.config, towns, facts.seed, threads=threads, first_town=first)
    again = record(sim, _chooser(recorded), facts.ticks)
    events = [source.events[source.events["episode"] == first + town] for town in range(towns)]
    return _Part(recorded, again.steps, events, again.events)


def _chooser(recorded: Trajectory) -> Chooser:
    known = np.clip(recorded.action, 0, recorded.mask.shape[3] - 1)

    def choose(sim: Simulation, tick: int) -> Choice:
        return Choice(known[:, :, tick], recorded.expert[:, :, tick])

    return choose


def _recorded(source: _Source, first: int, towns: int) -> Trajectory:
    facts = source.facts
    steps = allocate(towns, facts.agents, facts.ticks, shape_of(facts.layout))
    for town in range(towns):
        columns = _columns(source, first + town)
        _require_order(columns, source, first + town)
        for name, array in steps._asdict().items():
            array[town] = columns[name].reshape(array.shape[1:])
    return steps


def _columns(source: _Source, episode: int) -> dict[str, NDArray[Any]]:
    try:
        return read_columns(source.shard, episode, (*PLACE, *Trajectory._fields))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{source.name}: episode {episode} is damaged ({reason}); restore it or capture it again"
        ) from error


def _require_order(columns: dict[str, NDArray[Any]], source: _Source, episode: int) -> None:
    agents, ticks = source.facts.agents, source.facts.ticks
    whole = len(columns["tick"]) == agents * ticks
    if not (
        whole
        and (columns["episode"] == episode).all()
        and (columns["agent"] == np.repeat(np.arange(agents), ticks)).all()
        and (columns["tick"] == np.tile(np.arange(ticks), agents)).all()
    ):
        raise DataError(f"{source.name}: rows of episode {episode} are missing or out of order; capture it again")


def _difference(part: _Part, first: int, labels: Labels) -> Difference | None:
    for town in range(len(part.recorded_events)):
        recorded, replayed = (Trajectory._make(array[town] for array in one) for one in (part.recorded, part.replayed))
        found = first_step_difference(recorded, replayed, first + town, labels)
        old, new = part.recorded_events[town], part.replayed_events[town]
        if found := found or first_event_difference(old, new, first + town):
            return found
    return None


def _named_well(path: UPath) -> bool | None:
    return file_digest(path) == path.stem if OBJECT_NAME.fullmatch(path.name) else None
