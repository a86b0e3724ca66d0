"""Learners get exactly the decisions of their side, whole and verified, in batches of the size they ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.datasets import DecisionBatch, DecisionReader, Store
from townlet_core.datasets.splitting import SIDES, EpisodeKey
from townlet_core.datasets.versions import version_id
from townlet_core.errors import DataError


def reader(line: Any, split: str = "train", **options: Any) -> DecisionReader:
    return DecisionReader(line.manifest, line.store, split, **options)


def rows_of(line: Any, key: EpisodeKey) -> Any:
    record = next(one for one in line.captures if one.scenario == key.scenario)
    return line.store.open(record.digest).read_row_group(key.episode).to_pandas()


@pytest.mark.parametrize("split", ["train", "validation", "holdout"])
def test_a_side_gives_every_decision_of_its_episodes_and_nothing_else(pristine: Any, split: str) -> None:
    side = reader(pristine, split)
    batch = side.load()
    assert len(batch.expert) == len(side)
    for index, key in enumerate(side.episodes):
        rows = rows_of(pristine, key)
        rows = rows[rows.decision]
        own = batch.episode == index
        assert set(batch.scenario[own]) == {key.scenario}
        assert batch.expert[own].tolist() == rows.expert.tolist()
        assert batch.tick[own].tolist() == rows.tick.tolist()
        assert batch.agent[own].tolist() == rows.agent.tolist()
        assert np.array_equal(batch.features[own], np.stack(rows.features))
        assert np.array_equal(batch.map[own].reshape(own.sum(), -1), np.stack(rows["map"]))
        assert np.array_equal(batch.mask[own], np.stack(rows["mask"]).astype(bool))


def test_arrays_have_the_published_shapes_and_types(pristine: Any) -> None:
    side = reader(pristine)
    batch = side.load()
    count, layout = len(side), side.layout
    assert batch.map.shape == (count, layout["window"], layout["window"], len(layout["channels"]))
    assert batch.features.shape == (count, len(layout["features"]))
    assert batch.mask.shape == (count, len(side.actions))
    kinds = [array.dtype.name for array in batch]
    assert kinds[:4] == ["uint8", "float32", "bool", "int8"]
    assert (batch.mask.sum(axis=1) > 1).all()
    assert batch.mask[np.arange(count), batch.expert].all()


def test_no_episode_is_on_two_sides(pristine: Any) -> None:
    sides = [reader(pristine, side) for side in SIDES]
    assert len({key for side in sides for key in side.episodes}) == sum(len(side.episodes) for side in sides)
    assert sum(len(side) for side in sides) == pristine.manifest["quality"]["decisions"]


@pytest.mark.parametrize("size", [1, 7, 256, 100_000])
def test_batches_of_any_size_are_the_same_decisions_in_the_same_order(pristine: Any, size: int) -> None:
    side = reader(pristine, "holdout")
    parts = list(side.batches(size))
    assert [len(part.expert) for part in parts[:-1]] == [size] * (len(parts) - 1)
    assert 0 < len(parts[-1].expert) <= size
    joined = DecisionBatch._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    assert all(np.array_equal(old, new) for old, new in zip(side.load(), joined, strict=True))


def test_returns_are_those_of_the_recorded_rewards(pristine: Any) -> None:
    side = reader(pristine, "holdout", discount=0.9)
    batch = side.load()
    rows = rows_of(pristine, side.episodes[0])
    chosen = batch.episode == 0
    for position in np.flatnonzero(chosen)[::7]:
        agent, tick, span = batch.agent[position], batch.tick[position], batch.ticks_to_next[position]
        rewards = rows[rows.agent == agent].reward.to_numpy(np.float64)[tick:]
        discounts = 0.9 ** np.arange(len(rewards))
        assert batch.return_to_next[position] == pytest.approx(rewards[:span] @ discounts[:span], abs=1e-5)
        assert batch.returns[position] == pytest.approx(rewards @ discounts, abs=1e-5)


def test_reading_works_on_storage_beyond_the_disk(pristine: Any) -> None:
    elsewhere = Store("memory://reading-elsewhere")
    for record in pristine.captures:
        elsewhere.put_bytes(pristine.store.read_bytes(record.digest, ".parquet"), ".parquet")
    there = DecisionReader(pristine.manifest, elsewhere, "holdout").load()
    assert all(np.array_equal(a, b) for a, b in zip(there, reader(pristine, "holdout").load(), strict=True))


def test_a_side_that_does_not_exist_is_refused(pristine: Any) -> None:
    with pytest.raises(DataError, match="no 'test' episodes; the sides are train, validation, holdout"):
        reader(pristine, "test")


@pytest.mark.parametrize("keep", [0, 4, 1000, -1, -8])
def test_a_truncated_shard_is_refused_by_name_before_anything_is_read(line: Any, keep: int) -> None:
    path = line.store.object_path(line.captures[0].digest)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=f"{line.captures[0].digest}.parquet: damaged") as caught:
        reader(line)
    assert "\n" not in str(caught.value)


def test_a_missing_shard_is_refused_by_name(line: Any) -> None:
    line.store.object_path(line.captures[1].digest).unlink()
    with pytest.raises(DataError, match=f"{line.captures[1].digest}.parquet: missing"):
        reader(line)


def swapped(line: Any, rewrite: Callable[..., None], tmp_path: Path, column: str, row: int, value: Any) -> Any:
    """The line with one value of the first shard changed, and a manifest that names the changed shard."""
    shard = line.manifest["shards"][0]
    rewrite(line.store.object_path(shard["digest"]), tmp_path / "changed", column, row, value)
    digest = line.store.put_bytes((tmp_path / "changed").read_bytes(), ".parquet")
    first = {**shard, "digest": digest, "steps": f"{digest}.parquet"}
    manifest = {**line.manifest, "shards": [first, *line.manifest["shards"][1:]]}
    return line._replace(manifest={**manifest, "id": version_id(manifest)})


@pytest.mark.parametrize(("column", "value"), [("reward", np.nan), ("features", (3, np.inf))])
def test_a_value_that_is_not_finite_is_refused_with_its_column_and_episode(
    line: Any, rewrite: Callable[..., None], tmp_path: Path, column: str, value: Any
) -> None:
    episode = reader(line).episodes[0].episode
    spoilt = swapped(line, rewrite, tmp_path, column, episode * 8 * 1440 + 100, value)
    with pytest.raises(DataError, match=rf"\.parquet: NaN or infinity in '{column}', episode {episode}"):
        reader(spoilt).load()


def test_a_shard_of_another_form_than_the_manifest_says_is_refused(line: Any) -> None:
    other = line._replace(manifest={**line.manifest, "schema_fingerprint": "0" * 64})
    with pytest.raises(DataError, match="schema fingerprint is not that of dataset"):
        reader(other)
