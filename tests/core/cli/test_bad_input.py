"""What cannot be used is refused before work starts: one line that names file and field, exit code 2, nothing left."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.core.cli.conftest import Townlet
from tests.small_layouts import small_layout
from townlet_core.config import canonical_json
from townlet_core.policy.checkpoint import save_checkpoint
from townlet_core.policy.network import NetworkSize, network_tensors, seeded_network


def checkpoint(folder: Path) -> Path:
    """A policy for citizens who look about less far than those of the shipped towns."""
    layout = small_layout(5)
    size = NetworkSize(layout.cells, len(layout.features), len(layout.actions), hidden=8, map_hidden=4)
    save_checkpoint(folder, network_tensors(seeded_network(size, 1)), layout, {"method": "test"})
    return folder


def sour(folder: Path) -> None:
    weights = load_file(folder / "policy.safetensors")
    save_file(weights | {"trunk.weight": np.full_like(weights["trunk.weight"], np.nan)}, folder / "policy.safetensors")


def described_as_sour(folder: Path) -> None:
    """The description names the digest of these weights, so that nothing but their values is wrong."""
    sour(folder)
    path = folder / "policy.json"
    document: dict[str, Any] = json.loads(path.read_bytes())
    digest = sha256((folder / "policy.safetensors").read_bytes()).hexdigest()
    path.write_bytes(canonical_json({**document, "weights_sha256": digest}))


def relabelled(folder: Path) -> None:
    path = folder / "policy.json"
    document: dict[str, Any] = json.loads(path.read_bytes())
    path.write_bytes(canonical_json({**document, "architecture": {**document["architecture"], "hidden": "many"}}))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: None, "policy.json: map window is 5 in the policy and 11 in the town"),
        (sour, "policy.safetensors: sha256 is "),
        (described_as_sour, "policy.safetensors: tensor trunk.weight holds a number that is not finite"),
        (relabelled, "policy.json: architecture.hidden: "),
    ],
    ids=["another layout", "other weights", "weights that are no numbers", "wrong type"],
)
def test_a_checkpoint_that_cannot_act_is_refused(townlet: Townlet, tmp_path: Path, spoil: Any, told: str) -> None:
    folder = checkpoint(tmp_path / "policy")
    spoil(folder)
    outcome = townlet("evaluate", folder, "ordinary_day", "--towns", 2)
    assert (outcome.code, outcome.out) == (2, "")
    assert told in outcome.err
    assert outcome.err.startswith(str(folder))
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("words", [("--towns", "1"), ("--days", "0"), ("nowhere",)])
def test_an_evaluation_of_nothing_is_refused(townlet: Townlet, tmp_path: Path, words: tuple[str, ...]) -> None:
    outcome = townlet("evaluate", checkpoint(tmp_path / "policy"), *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert words[0] in outcome.err
