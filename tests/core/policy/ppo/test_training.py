"""A whole training, as small as it can be: it can be killed and goes on to the bit; it stops when figures go bad."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.core.policy.ppo.small_training import small_profile, small_start, small_town, small_training
from townlet_core.errors import CheckpointError, DataError, InputError
from townlet_core.policy import load_checkpoint
from townlet_core.policy.network import network_tensors
from townlet_core.policy.ppo import updating
from townlet_core.policy.ppo.saving import FILES, newest_training
from townlet_core.policy.ppo.starting import Improved
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.training_log import LOG_FILE, TABLE_FILE, read_log

ROOT = Path(__file__).parents[4]
PROGRAM = Path(__file__).with_name("small_training.py")


def run(folder: Path, **wanted: Any) -> int:
    command = [sys.executable, str(PROGRAM), str(folder), json.dumps(wanted)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True).returncode


def files_of(folder: Path) -> dict[str, str]:
    checkpoint = folder / "checkpoints" / "000006"
    return {name: hashlib.sha256((checkpoint / name).read_bytes()).hexdigest() for name in FILES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Improved]:
    """A training that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, small_training(folder)


def test_a_killed_training_goes_on_and_ends_with_the_same_bytes(whole: tuple[Path, Improved], tmp_path: Path) -> None:
    assert run(tmp_path, kill_after=5) == -signal.SIGKILL
    found = newest_training(tmp_path / "checkpoints")
    assert found is not None
    assert found.name == "000004"
    assert len(list(read_log(tmp_path / LOG_FILE))) == 5
    assert run(tmp_path, resume=True) == 0
    assert files_of(tmp_path) == files_of(whole[0])
    again = list(read_log(tmp_path / LOG_FILE))
    assert [record.lasting() for record in again] == [record.lasting() for record in whole[1].records]


def test_the_training_changed_the_weights_and_its_checkpoint_can_act(whole: tuple[Path, Improved]) -> None:
    policy = load_checkpoint(whole[0] / "checkpoints" / "000006")
    assert policy.weights.recurrent == 8
    start, end = small_start().tensors, network_tensors(whole[1].network)
    assert all((start[name] != end[name]).any() for name in start if name.endswith(("weight", "weight_hh")))


def test_the_first_update_teaches_the_value_head_alone(tmp_path: Path) -> None:
    start = small_start()
    improved = improve(start, {"evening": small_town()}, small_profile(updates=1), tmp_path)
    moved = [
        name for name, tensor in network_tensors(improved.network).items() if (tensor != start.tensors[name]).any()
    ]
    assert sorted(moved) == ["value.bias", "value.weight"]
    assert improved.records[0].critic_only


def test_another_training_does_not_take_up_this_ones_checkpoint(whole: tuple[Path, Improved]) -> None:
    with pytest.raises(CheckpointError, match=r"belongs to another training .*; train without --resume"):
        improve(small_start(seed=2), {"evening": small_town()}, small_profile(), whole[0], resume=True)


def test_a_damaged_checkpoint_is_told_and_not_taken_up(tmp_path: Path) -> None:
    small_training(tmp_path, recurrent=0)
    towns = tmp_path / "checkpoints" / "000006" / "towns.safetensors"
    towns.write_bytes(towns.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"towns\.safetensors: is missing or damaged; delete .*000006"):
        small_training(tmp_path, resume=True, recurrent=0)


@pytest.mark.parametrize(("term", "patched"), [("value loss", "value_error"), ("entropy", "entropies")])
def test_a_figure_that_is_no_number_stops_the_training_and_tells_what_is_kept(
    term: str, patched: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = getattr(updating, patched), []

    def sour(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        found: torch.Tensor = honest(*arguments)
        return found * float("nan") if len(list(tmp_path.glob("checkpoints/*/training.json"))) else found

    monkeypatch.setattr(updating, patched, sour)
    with pytest.raises(DataError) as stopped:
        small_training(tmp_path, recurrent=0)
    kept = tmp_path / "checkpoints" / "000002"
    assert f"update 3, epoch 1, minibatch 1: the {term} is not finite (the last good checkpoint is {kept})" in str(
        stopped.value
    )
    monkeypatch.undo()
    assert np.isfinite(load_checkpoint(kept).weights.policy_weight).all()
    assert [record.epoch for record in small_training(tmp_path, resume=True, recurrent=0).records] == [1, 2, 3, 4, 5, 6]


def test_the_callers_torch_threads_are_given_back(whole: tuple[Path, Improved]) -> None:
    before, seen = torch.get_num_threads(), []
    folder = whole[0] / "threads"
    improve(
        small_start(),
        {"evening": small_town()},
        small_profile(updates=1, ticks=60),
        folder,
        progress=lambda _: seen.append(torch.get_num_threads()),
    )
    assert (seen, torch.get_num_threads()) == ([1], before)


def test_the_towns_must_be_those_that_the_profile_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="names the scenarios evening; given are morning"):
        improve(small_start(), {"morning": small_town()}, small_profile(), tmp_path)


def test_every_record_adds_up(whole: tuple[Path, Improved]) -> None:
    records = whole[1].records
    assert [record.steps for record in records] == [500 * 16 * number for number in range(1, 7)]
    assert records[-1].transitions_total == sum(record.transitions for record in records)
    assert [record.episodes.count for record in records] == [0, 0, 2, 0, 0, 2]
    assert [record.lr for record in records] == pytest.approx(np.linspace(1e-2, 1e-3, 6).tolist())
    assert (whole[0] / TABLE_FILE).is_file()
    offsets = [record.timing.log_stream_offset for record in records]
    lines = (whole[0] / LOG_FILE).read_bytes()
    assert [json.loads(lines[offset:].split(b"\n")[0])["epoch"] for offset in offsets] == [1, 2, 3, 4, 5, 6]
