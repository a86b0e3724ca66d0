"""What learners see of a dataset: batches of decisions, streamed one episode at a time."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from townlet_core.datasets.returns import Spans, first_decisions, return_to_end, return_to_next
from townlet_core.datasets.schema import ShardFacts, expected_fingerprint, read_facts
from townlet_core.datasets.splitting import SIDES, EpisodeKey
from townlet_core.datasets.store import Record, Store
from townlet_core.datasets.trajectory import read_columns
from townlet_core.datasets.versions import episode_keys
from townlet_core.errors import DataError
from townlet_core.observations.layout import CONTEXT_CUT

NEEDED = ("episode", "agent", "person", "tick", "decision", "expert", "map", "features", "mask", "reward", "terminated")


class DecisionBatch(NamedTuple):
    """Decisions in the order of the dataset; n is the batch's length.

    Attributes:
        map: uint8 [n, window, window, channels], the local map.
        features: float32 [n, features].
        mask: bool [n, actions], the options that were allowed.
        expert: int8 [n], the option that the recorded policy chose.
        scenario: str [n], name of the scenario.
        episode: int32 [n], index into the reader's `episodes`.
        agent: int16 [n], citizen within the town.
        tick: int32 [n], ticks since the episode began.
        return_to_next: float32 [n], discounted rewards until the citizen's next decision.
        ticks_to_next: int32 [n], for how many ticks.
        returns: float32 [n], discounted rewards until the end of the life or of the recording.
        begins: bool [n], whether it is the first decision of a life or behind a hard cut of its context.
    """

    map: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    expert: NDArray[np.int8]
    scenario: NDArray[np.str_]
    episode: NDArray[np.int32]
    agent: NDArray[np.int16]
    tick: NDArray[np.int32]
    return_to_next: NDArray[np.float32]
    ticks_to_next: NDArray[np.int32]
    returns: NDArray[np.float32]
    begins: NDArray[np.bool_]


class _Source(NamedTuple):
    shard: pq.ParquetFile
    facts: ShardFacts
    name: str


class DecisionReader:
    """The decisions on one side of a dataset version. Rows in which the mask left one choice are no decisions.

    Attributes:
        layout: the observation layout's JSON.
        layout_digest: its digest, as checkpoints record it.
        actions: the options by number.
        scenarios: names of the scenarios.
        episodes: the episodes by number.
        decisions: how many decisions there are.
    """

    def __init__(self, manifest: Record, store: Store, split: str, *, discount: float = 0.99) -> None:
        """Open and verify every shard that the side needs.

        Args:
            manifest: a dataset version's manifest.
            store: where its shards lie.
            split: `train`, `validation` or `holdout`.
            discount: factor per tick of `return_to_next`.

        Raises:
            DataError: a shard is missing, damaged or of another form than the manifest says, or the side is empty.
        """
        self.episodes = episode_keys(manifest, split)
        if not self.episodes:
            raise DataError(f"dataset {manifest['id'][:12]}: no '{split}' episodes; the sides are {', '.join(SIDES)}")
        self.scenarios = sorted({shard["scenario"] for shard in manifest["shards"]})
        self.actions: list[str] = list(manifest["actions"])
        self.layout_digest: str = manifest["layout_digest"]
        self._discount = discount
        self._sources = self._open(manifest, store)
        self.layout: dict[str, Any] = next(iter(self._sources.values())).facts.layout
        self.decisions = _count(manifest, split)

    def __len__(self) -> int:
        return self.decisions

    def __iter__(self) -> Iterator[DecisionBatch]:
        """One batch per episode. Raises DataError for an episode with a value that is not finite."""
        return (self.read(number) for number in range(len(self.episodes)))

    def batches(self, size: int) -> Iterator[DecisionBatch]:
        """Batches of exactly `size` decisions, the last one smaller; holds one episode and one batch in memory."""
        held: list[DecisionBatch] = []
        for episode in self:
            held.append(episode)
            whole = _joined(held)
            full = len(whole.expert) // size * size
            yield from (_part(whole, start, start + size) for start in range(0, full, size))
            held = [_part(whole, full, len(whole.expert))]
        if len(held[0].expert):
            yield held[0]

    def load(self) -> DecisionBatch:
        """Every decision as one batch: about 0.8 kB each."""
        return _joined(list(self))

    def _open(self, manifest: Record, store: Store) -> dict[tuple[str, str], _Source]:
        wanted = {(key.scenario, key.date) for key in self.episodes}
        sources = {}
        for entry in manifest["shards"]:
            if (entry["scenario"], entry["date"]) in wanted:
                source = _opened(store, entry["digest"])
                _require_form(source, manifest)
                sources[entry["scenario"], entry["date"]] = source
        return sources

    def read(self, number: int) -> DecisionBatch:
        """The decisions of one of the episodes. Raises DataError for a value that is not finite."""
        key = self.episodes[number]
        source = self._sources[key.scenario, key.date]
        columns = _columns(source, key)
        chosen = columns["decision"]
        layout = source.facts.layout
        crop = (layout["window"], layout["window"], len(layout["channels"]))
        spans = Spans(chosen, columns["terminated"], columns["reward"], columns["agent"], columns["person"])
        outcome = return_to_next(spans, self._discount)
        return DecisionBatch(
            map=columns["map"][chosen].reshape(len(outcome.ticks), *crop),
            features=columns["features"][chosen],
            mask=columns["mask"][chosen].astype(np.bool_),
            expert=columns["expert"][chosen],
            scenario=np.full(len(outcome.ticks), key.scenario),
            episode=np.full(len(outcome.ticks), number, np.int32),
            agent=columns["agent"][chosen],
            tick=columns["tick"][chosen],
            return_to_next=outcome.reward,
            ticks_to_next=outcome.ticks,
            returns=return_to_end(spans, self._discount),
            begins=first_decisions(spans, _cut(layout, columns["features"])),
        )


def _opened(store: Store, digest: str) -> _Source:
    name = str(store.object_path(digest))
    shard = store.open(digest)
    return _Source(shard, read_facts(shard, name), name)


def _require_form(source: _Source, manifest: Record) -> None:
    if expected_fingerprint(source.facts) != manifest["schema_fingerprint"]:
        raise DataError(
            f"{source.name}: schema fingerprint is not that of dataset {manifest['id'][:12]}; build the version again"
        )


def _columns(source: _Source, key: EpisodeKey) -> dict[str, NDArray[Any]]:
    if key.episode >= source.shard.num_row_groups:
        raise DataError(f"{source.name}: has no episode {key.episode}; build the version again")
    columns = read_columns(source.shard, key.episode, NEEDED)
    if (columns["episode"] != key.episode).any():
        raise DataError(f"{source.name}: row group {key.episode} holds another episode; capture it again")
    for name in ("features", "reward"):
        if not np.isfinite(columns[name]).all():
            raise DataError(
                f"{source.name}: NaN or infinity in '{name}', episode {key.episode}; curate and build again"
            )
    return columns


def _cut(layout: dict[str, Any], features: NDArray[Any]) -> NDArray[np.bool_]:
    """In which rows the context is cut; in none where the layout does not tell."""
    names = [feature["name"] for feature in layout["features"]]
    if CONTEXT_CUT not in names:
        return np.zeros(len(features), np.bool_)
    return np.asarray(features[:, names.index(CONTEXT_CUT)] > 0)


def _count(manifest: Record, split: str) -> int:
    episodes = (episode for shard in manifest["shards"] for episode in shard["episodes"])
    return sum(episode["decisions"] for episode in episodes if episode["side"] == split)


def _joined(parts: Iterable[DecisionBatch]) -> DecisionBatch:
    return DecisionBatch._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def _part(batch: DecisionBatch, start: int, stop: int) -> DecisionBatch:
    return DecisionBatch._make(array[start:stop] for array in batch)
