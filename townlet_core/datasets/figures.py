"""What can be measured about an episode: the figures that curation judges and a dataset version reports."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from townlet_core.datasets.schema import ShardFacts
from townlet_core.datasets.trajectory import read_columns

Columns = dict[str, NDArray[Any]]

MEASURED = (
    "episode",
    "agent",
    "tick",
    "decision",
    "action",
    "expert",
    "features",
    "mask",
    "reward",
    "clipped",
    "terminated",
)
"""Columns that `measure` needs."""


class EpisodeFigures(NamedTuple):
    """Figures of one episode.

    Attributes:
        episode: town of the capture.
        rows: rows in the shard.
        ticks: ticks that the rows reach.
        complete: every citizen has exactly one row for every tick that the shard promises, in order.
        finite: no NaN and no infinity in features and rewards.
        legal: the recorded policy chose only what its mask allowed.
        decisions: rows with a choice.
        actions: per option, how many decisions the recorded policy made for it.
        clipped: rows whose reward was cut by the clip.
        deaths: rows in which a life ended.
        fingerprint: digest of actions, features and rewards; equal for duplicates.
    """

    episode: int
    rows: int
    ticks: int
    complete: bool
    finite: bool
    legal: bool
    decisions: int
    actions: tuple[int, ...]
    clipped: int
    deaths: int
    fingerprint: str


def measure_shard(shard: pq.ParquetFile, facts: ShardFacts) -> list[EpisodeFigures]:
    """The figures of every episode of a steps shard, reading one episode at a time."""
    return [measure(read_columns(shard, group, MEASURED), facts) for group in range(shard.num_row_groups)]


def measure(columns: Columns, facts: ShardFacts) -> EpisodeFigures:
    """The figures of one episode, from its columns (`MEASURED`)."""
    decision, expert, mask = columns["decision"], columns["expert"], columns["mask"]
    rows = len(decision)
    chosen = np.bincount(expert[decision].clip(0), minlength=mask.shape[1])
    return EpisodeFigures(
        episode=int(columns["episode"][0]) if rows else -1,
        rows=rows,
        ticks=int(columns["tick"].max(initial=-1)) + 1,
        complete=_complete(columns, facts),
        finite=bool(np.isfinite(columns["features"]).all() and np.isfinite(columns["reward"]).all()),
        legal=_legal(expert[decision], mask[decision]),
        decisions=int(decision.sum()),
        actions=tuple(int(count) for count in chosen),
        clipped=int(columns["clipped"].sum()),
        deaths=int(columns["terminated"].sum()),
        fingerprint=_fingerprint(columns),
    )


def _complete(columns: Columns, facts: ShardFacts) -> bool:
    if len(columns["tick"]) != facts.agents * facts.ticks:
        return False
    tick = columns["tick"].reshape(facts.agents, facts.ticks)
    agent = columns["agent"].reshape(facts.agents, facts.ticks)
    return bool((tick == np.arange(facts.ticks)).all() and (agent == np.arange(facts.agents)[:, None]).all())


def _legal(expert: NDArray[np.int8], mask: NDArray[np.uint8]) -> bool:
    inside = (expert >= 0) & (expert < mask.shape[1])
    return bool(inside.all() and (mask[np.arange(len(expert)), expert] == 1).all())


def _fingerprint(columns: Columns) -> str:
    content = hashlib.sha256()
    for name in ("agent", "tick", "action", "features", "reward"):
        content.update(columns[name].tobytes())
    return content.hexdigest()
