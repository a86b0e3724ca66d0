"""Capture, curate, train, evaluate and replay, one after the other, as a person would without Dagster."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.core.cli.conftest import ROOT, Townlet

SCENARIOS = ("ordinary_day", "low_money")
SHORT = {
    "ppo": {"scenarios": ["ordinary_day"], "towns": 1, "updates": 4, "ticks": 360, "validation_towns": 1, "cycle": 2},
    "replay": {"updates": 2, "minibatches": 2, "checkpoint_every": 1},
    "anneal": {"steps": 2},
}
"""Sections of training profiles in which nothing takes long."""


@pytest.fixture
def line(townlet: Townlet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Townlet:
    """The command line over a configuration that is quick to capture and to train."""
    configs = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", configs)
    for name in SCENARIOS:
        _change(configs / "scenarios" / f"{name}.yaml", "capture", {"towns": 4, "days": 1, "exploration": 0.05})
    for name in ("quick", "clone", "replay", "mixed", "anneal"):
        _shorten(configs / "training" / f"{name}.yaml")
    monkeypatch.setenv("TOWNLET_CONFIGS", str(configs))
    return townlet


@pytest.mark.slow
def test_the_verbs_work_one_after_the_other(line: Townlet) -> None:
    captured = _document(line, "capture", *SCENARIOS)
    assert [one["scenario"] for one in captured] == list(SCENARIOS)
    assert all(one["rows"] == one["towns"] * one["agents"] * one["ticks"] == 4 * 8 * 1440 for one in captured)

    curated = _document(line, "curate", *SCENARIOS)
    assert all(one["accepted"] + len(one["rejected"]) == 4 for one in curated["curated"])

    trained = _document(line, "train", "--dataset", curated["dataset"])
    assert trained["dataset"] == curated["dataset"]
    assert trained["report"]["accuracy"] > trained["report"]["majority_share"]

    used = {
        name: _document(line, "train", "--profile", name)["rows"] for name in ("clone", "replay", "mixed", "anneal")
    }
    assert {name: sorted(kind for kind, rows in kinds.items() if rows) for name, kinds in used.items()} == {
        "clone": ["cloned"],
        "replay": ["cloned", "stored"],
        "mixed": ["cloned", "lived", "stored"],
        "anneal": ["cloned", "lived", "scripted"],
    }
    assert "the teacher drives" in line("train", "--profile", "anneal").out

    outcome = _document(line, "evaluate", trained["checkpoint"], "ordinary_day", "--towns", 3)
    survival = outcome["scenarios"]["ordinary_day"]["survival"]
    assert survival["teacher"]["mean"] == 1.0
    assert survival["difference"]["mean"] == pytest.approx(survival["candidate"]["mean"] - 1.0)

    shard = captured[0]["shard"]
    assert _document(line, "replay", shard, "--validate")["faithful"] is True
    assert "are identical" in line("replay", shard).out


@pytest.mark.slow
def test_a_second_time_everything_is_found_and_nothing_is_made(line: Townlet) -> None:
    first, second = (_document(line, "capture", "ordinary_day")[0] for _ in range(2))
    assert (first["reused"], second["reused"]) == (False, True)
    assert first["digest"] == second["digest"]


@pytest.mark.slow
def test_a_shard_that_was_tampered_with_is_told_by_its_first_difference(line: Townlet, tmp_path: Path) -> None:
    shard = Path(_document(line, "capture", "ordinary_day")[0]["shard"])
    for path in shard.parent.glob("*.parquet"):
        shutil.copy(path, tmp_path)
    _change_reward(tmp_path / shard.name, tmp_path / "forged.parquet", row=100)
    outcome = line("replay", tmp_path / "forged.parquet")
    assert outcome.code == 1
    assert "episode 0, tick 100, agent 0, reward: recorded 99" in outcome.err


@pytest.mark.slow
def test_a_copy_under_another_name_replays_but_is_not_validated(line: Townlet, tmp_path: Path) -> None:
    shard = Path(_document(line, "capture", "ordinary_day")[0]["shard"])
    for path in shard.parent.glob("*.parquet"):
        shutil.copy(path, tmp_path)
    copy = shutil.copy(shard, tmp_path / "copy.parquet")
    assert line("replay", copy).code == 0
    assert line("replay", copy, "--validate").code == 1


def test_a_truncated_shard_is_refused_in_one_line(townlet: Townlet, tmp_path: Path) -> None:
    shard = tmp_path / "half.parquet"
    pq.write_table(pa.table({"x": list(range(1000))}), shard)
    shard.write_bytes(shard.read_bytes()[:-40])
    outcome = townlet("replay", shard)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{shard}: ")
    assert len(outcome.err.splitlines()) == 1


def test_a_missing_checkpoint_is_refused_in_one_line(townlet: Townlet, tmp_path: Path) -> None:
    outcome = townlet("evaluate", tmp_path / "nothing")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1


def test_curating_what_was_never_captured_is_refused_and_leaves_nothing(townlet: Townlet, tmp_path: Path) -> None:
    outcome = townlet("curate", "ordinary_day")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]


def _document(townlet: Townlet, *words: object) -> Any:
    outcome = townlet(*words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def _shorten(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    shorter = {name: {**document[name], **SHORT[name]} for name in SHORT if name in document}
    path.write_text(yaml.safe_dump({**document, **shorter, "epochs": 3}))


def _change(path: Path, key: str, value: object) -> None:
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), key: value}))


def _change_reward(source: Path, target: Path, row: int) -> None:
    shard = pq.ParquetFile(source)
    with pq.ParquetWriter(target, shard.schema_arrow, compression="zstd") as writer:
        for group in range(shard.num_row_groups):
            table = shard.read_row_group(group)
            if group == 0:
                rewards = table.column("reward").to_pylist()
                rewards[row] = 99.0
                index = table.schema.get_field_index("reward")
                table = table.set_column(index, table.schema.field(index), pa.array(rewards, pa.float32()))
            writer.write_table(table, row_group_size=table.num_rows)
        writer.add_key_value_metadata({k: v for k, v in shard.metadata.metadata.items() if k != b"ARROW:schema"})
