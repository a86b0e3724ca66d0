"""A replay gives what was recorded, to the bit, or names the first place where it does not."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from townlet_core.datasets import replay
from townlet_core.errors import DataError

EPISODE_ROWS = 8 * 1440


@pytest.fixture
def shard(line: Any) -> Path:
    """The steps shard of the ordinary day, in a folder that may be spoilt."""
    return Path(str(line.store.object_path(line.captures[1].digest)))


@pytest.fixture
def tampered(shard: Path, rewrite: Callable[..., None]) -> Callable[[str, int, Any], Path]:
    """A copy of the shard, beside its events, in which one value differs."""

    def change(column: str, row: int, value: Any) -> Path:
        rewrite(shard, shard.parent / "tampered.parquet", column, row, value)
        return shard.parent / "tampered.parquet"

    return change


@pytest.mark.parametrize(("threads", "towns_at_once"), [(1, 4), (2, 3)])
def test_what_was_captured_replays_alike(pristine: Any, threads: int, towns_at_once: int) -> None:
    for record in pristine.captures:
        path = pristine.store.object_path(record.digest)
        report = replay(path, threads=threads, towns_at_once=towns_at_once)
        assert report.identical
        assert (report.rows, report.events, report.episodes) == (record.rows, record.event_rows, record.towns)
        assert report.digest_matches


def test_progress_counts_episodes(pristine: Any) -> None:
    told: list[tuple[int, int]] = []
    path = pristine.store.object_path(pristine.captures[0].digest)
    replay(path, towns_at_once=3, progress=lambda *now: told.append(now))
    assert told == [(3, 4), (4, 4)]


ROW = EPISODE_ROWS + 3 * 1440 + 700
PLACE = (1, 700, 3)


def place(report: Any) -> tuple[int, int, int]:
    return report.difference.episode, report.difference.tick, report.difference.agent


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("reward", 0.125, "reward"),
        ("features", (0, 0.3), "features need_hunger"),
        ("map", (0, 250), "map terrain at row 0, column 0"),
        ("map", (483, 250), "map reservation at row 10, column 10"),
        ("mask", (0, 7), "mask idle"),
        ("clipped", True, "clipped"),
        ("terminated", True, "terminated"),
        ("truncated", True, "truncated"),
    ],
)
def test_a_changed_value_is_named_with_its_place_and_both_values(
    tampered: Callable[[str, int, Any], Path], column: str, value: Any, named: str
) -> None:
    report = replay(tampered(column, ROW, value))
    assert not report.identical
    assert place(report) == PLACE
    assert report.difference.column == named
    assert report.difference.recorded != report.difference.replayed
    expected = value[1] if isinstance(value, tuple) else value
    assert float(ast.literal_eval(report.difference.recorded)) == pytest.approx(float(expected), abs=1e-6)


def test_nan_is_a_difference(tampered: Callable[[str, int, Any], Path]) -> None:
    report = replay(tampered("reward", ROW, np.nan))
    assert place(report) == PLACE
    assert report.difference.recorded == "nan"


def decisions(shard: Path) -> Any:
    rows = pq.ParquetFile(shard).read_row_group(1, columns=["agent", "tick", "decision", "action", "mask"]).to_pandas()
    return rows[rows.decision]


def test_another_legal_action_shows_in_the_very_next_moment(
    shard: Path, tampered: Callable[[str, int, Any], Path]
) -> None:
    chosen = decisions(shard).iloc[5]
    other = next(option for option in np.flatnonzero(chosen["mask"]) if option != chosen.action)
    report = replay(tampered("action", EPISODE_ROWS + chosen.name, other))
    assert not report.identical
    assert report.difference.episode == 1
    assert report.difference.tick in (chosen.tick, chosen.tick + 1)


@pytest.mark.parametrize("option", [-1, 10, 100])
def test_an_action_that_is_no_option_is_named(tampered: Callable[[str, int, Any], Path], option: int) -> None:
    report = replay(tampered("action", ROW, option))
    assert (place(report), report.difference.column) == (PLACE, "action")
    assert report.difference.recorded == str(option)


def test_an_action_where_there_was_no_choice_is_named(shard: Path, tampered: Callable[[str, int, Any], Path]) -> None:
    rows = pq.ParquetFile(shard).read_row_group(1).to_pandas()
    forced = rows[~rows.decision].iloc[50]
    other = int(np.flatnonzero(np.asarray(forced["mask"]) == 0)[0])
    report = replay(tampered("action", EPISODE_ROWS + forced.name, other))
    assert place(report) == (1, forced.tick, forced.agent)
    assert report.difference.column == "action"
    assert report.difference.replayed.startswith("only ")


def test_the_first_of_several_differences_is_named(
    tampered: Callable[[str, int, Any], Path], rewrite: Callable[..., None]
) -> None:
    once = tampered("reward", ROW, 0.125)
    rewrite(once, once.with_name("twice.parquet"), "reward", EPISODE_ROWS + 6 * 1440 + 30, 0.125)
    assert place(replay(once.with_name("twice.parquet"))) == (1, 30, 6)


def test_an_event_that_did_not_happen_is_named(
    line: Any, shard: Path, rewrite: Callable[..., None], relabel: Callable[..., None]
) -> None:
    rewrite(line.store.object_path(line.captures[1].events_digest), shard.with_name("events"), "value", 3, 9.5)
    digest = line.store.put_bytes(shard.with_name("events").read_bytes(), ".parquet")
    relabel(shard, shard.with_name("steps.parquet"), {"events": digest})
    report = replay(shard.with_name("steps.parquet"))
    assert not report.identical
    assert report.difference.column == "event 3"
    assert "value=9.5" in report.difference.recorded
    assert "value=9.5" not in report.difference.replayed


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"schema_version": 99}, "schema version 99; this code reads version 2"),
        ({"layout": {}}, "the facts in its metadata are damaged"),
        ({"event_names": 7}, "the facts in its metadata are damaged"),
        ({"event_names": ["dance"]}, "captured with the observations or events of other code"),
        ({"config": {"config_id": "none"}}, r"its configuration is of other code"),
        ({"config_digest": "0" * 64}, "its configuration does not match its digest"),
    ],
)
def test_a_shard_with_other_facts_is_refused_in_one_line(
    shard: Path, relabel: Callable[..., None], facts: dict[str, Any], message: str
) -> None:
    relabel(shard, shard.with_name("other.parquet"), facts)
    with pytest.raises(DataError, match=rf"other\.parquet: {message}") as caught:
        replay(shard.with_name("other.parquet"))
    assert "\n" not in str(caught.value)


def test_another_seed_is_another_town(shard: Path, relabel: Callable[..., None]) -> None:
    relabel(shard, shard.with_name("other.parquet"), {"seed": 1})
    report = replay(shard.with_name("other.parquet"))
    assert place(report) == (0, 0, 0)


def test_a_shard_whose_name_is_wrong_is_not_identical(shard: Path, tampered: Callable[[str, int, Any], Path]) -> None:
    changed = tampered("expert", ROW, 0 if pq.ParquetFile(shard).read(["expert"])["expert"][ROW].as_py() else 1)
    changed.replace(shard)
    report = replay(shard)
    assert report.difference is None
    assert report.digest_matches is False
    assert not report.identical
    assert "not what its name says" in str(report)


def test_missing_events_are_named(line: Any, shard: Path) -> None:
    digest = line.captures[1].events_digest
    line.store.object_path(digest).unlink()
    with pytest.raises(DataError, match=f"{digest}.parquet: missing; put the events shard"):
        replay(shard)


def test_damaged_events_are_named(line: Any, shard: Path) -> None:
    path = line.store.object_path(line.captures[1].events_digest)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="damaged; restore the events shard"):
        replay(shard)


def test_an_events_shard_is_not_replayed(line: Any) -> None:
    with pytest.raises(DataError, match="an events shard; name the steps shard"):
        replay(line.store.object_path(line.captures[1].events_digest))


@pytest.mark.parametrize("keep", [0, 3, 5000, -4, -200])
def test_a_truncated_shard_is_refused_in_one_line(shard: Path, keep: int) -> None:
    shard.write_bytes(shard.read_bytes()[:keep])
    with pytest.raises(DataError, match=f"{shard.name}: not a complete Parquet file") as caught:
        replay(shard)
    assert "\n" not in str(caught.value)


def test_a_shard_with_damaged_pages_is_refused_in_one_line(shard: Path) -> None:
    content = bytearray(shard.read_bytes())
    content[1000:200_000] = b"\x00" * 199_000
    shard.write_bytes(content)
    with pytest.raises(DataError, match=shard.name) as caught:
        replay(shard)
    assert "\n" not in str(caught.value)


def test_a_missing_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.parquet: missing; name an existing shard"):
        replay(tmp_path / "none.parquet")


def test_a_shard_that_lacks_an_episode_is_refused(shard: Path) -> None:
    source = pq.ParquetFile(shard)
    with pq.ParquetWriter(shard.with_name("less.parquet"), source.schema_arrow.remove_metadata()) as writer:
        writer.write_table(source.read_row_group(0).replace_schema_metadata(None))
        known = source.metadata.metadata
        writer.add_key_value_metadata({key: known[key] for key in known if key.startswith(b"townlet.")})
    with pytest.raises(DataError, match=r"less\.parquet: 1 of 4 episodes"):
        replay(shard.with_name("less.parquet"))
