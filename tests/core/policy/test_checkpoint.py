"""A checkpoint comes back as it was saved; anything else is refused in one line that says what would be right."""

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as save_tensors

from tests.small_layouts import small_layout
from townlet_core.errors import CheckpointError
from townlet_core.observations.layout import FeatureSpec, ObservationLayout
from townlet_core.policy.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from townlet_core.policy.network import NetworkSize, network_from, network_tensors, seeded_network

LAYOUT = small_layout(5)
SIZE = NetworkSize(100, len(LAYOUT.features), len(LAYOUT.actions), hidden=16, map_hidden=8)
TENSORS = network_tensors(seeded_network(SIZE, 1))
TRAINED = {"method": "behaviour_cloning", "dataset": "a" * 64, "profile": {"seed": 7}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "candidate", TENSORS, LAYOUT, TRAINED)
    return tmp_path / "candidate"


def refusal(folder: Path, layout: ObservationLayout | None = None) -> str:
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint(folder, layout)
    text = str(refused.value)
    assert "\n" not in text
    assert "; " in text or "expected" in text
    return text


def edit(folder: Path, **changes: object) -> None:
    body = json.loads((folder / "policy.json").read_text())
    (folder / "policy.json").write_text(json.dumps(body | changes))


def test_a_checkpoint_comes_back_as_it_was_saved(saved: Path) -> None:
    checkpoint = read_checkpoint(saved)
    assert checkpoint.layout == LAYOUT
    assert checkpoint.description.trained == TRAINED
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(checkpoint.tensors[name], tensor)
    for name, tensor in network_tensors(network_from(checkpoint.tensors)).items():
        np.testing.assert_array_equal(tensor, TENSORS[name])


def test_the_digest_stands_for_both_files_and_nothing_else(saved: Path, tmp_path: Path) -> None:
    digest = load_checkpoint(saved, LAYOUT).digest
    assert save_checkpoint(tmp_path / "again", TENSORS, LAYOUT, TRAINED) == digest
    other = dict(TENSORS) | {"value.bias": TENSORS["value.bias"] + 1}
    assert save_checkpoint(tmp_path / "weights", other, LAYOUT, TRAINED) != digest
    assert save_checkpoint(tmp_path / "words", TENSORS, LAYOUT, TRAINED | {"dataset": "b" * 64}) != digest


def test_the_description_has_exactly_these_keys(saved: Path) -> None:
    body = json.loads((saved / "policy.json").read_text())
    assert sorted(body) == [
        "actions",
        "architecture",
        "format",
        "format_version",
        "layout",
        "layout_digest",
        "trained",
        "weights_sha256",
    ]
    assert sorted(body["architecture"]) == [
        "actions",
        "cells",
        "features",
        "hidden",
        "kind",
        "map_hidden",
        "recurrent",
    ]
    assert sorted(body["layout"]) == ["actions", "channels", "features", "variant", "window"]
    assert body["format"] == "townlet-policy"


def test_saving_leaves_two_files_and_nothing_else(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == ["policy.json", "policy.safetensors"]


@pytest.mark.parametrize("name", ["policy.json", "policy.safetensors"])
def test_a_missing_file_is_refused(saved: Path, name: str) -> None:
    (saved / name).unlink()
    assert f"{name}: missing" in refusal(saved)


@pytest.mark.parametrize("position", [0, 8, 200, -1])
def test_one_flipped_byte_of_the_weights_is_refused(saved: Path, position: int) -> None:
    content = bytearray((saved / "policy.safetensors").read_bytes())
    content[position] ^= 1
    (saved / "policy.safetensors").write_bytes(content)
    assert "policy.safetensors: sha256 is" in refusal(saved)


def test_truncated_weights_are_refused(saved: Path) -> None:
    content = (saved / "policy.safetensors").read_bytes()
    (saved / "policy.safetensors").write_bytes(content[: len(content) // 2])
    assert "sha256" in refusal(saved)


def test_a_truncated_description_is_refused(saved: Path) -> None:
    text = (saved / "policy.json").read_text()
    (saved / "policy.json").write_text(text[: len(text) // 2])
    assert "policy.json: document: Invalid JSON" in refusal(saved)


def test_an_unknown_key_in_the_description_is_refused(saved: Path) -> None:
    edit(saved, hooks=["os.system"])
    assert "policy.json: hooks: Extra inputs" in refusal(saved)


def test_a_description_of_a_later_format_is_refused(saved: Path) -> None:
    edit(saved, format_version=2)
    assert "found 'townlet-policy' version 2; this version reads 'townlet-policy' version 1" in refusal(saved)


def test_an_edited_layout_is_refused(saved: Path) -> None:
    edit(saved, layout=json.loads(small_layout(7).to_json()))
    assert "layout_digest" in refusal(saved)


def test_a_layout_that_is_none_is_refused(saved: Path) -> None:
    edit(saved, layout={"variant": "hybrid"})
    assert "layout: not an observation layout" in refusal(saved)


def test_an_edited_action_table_is_refused(saved: Path) -> None:
    edit(saved, actions=list(reversed(LAYOUT.actions)))
    assert "actions: differ from the layout's own action table" in refusal(saved)


def test_pickled_weights_are_never_loaded(saved: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(saved / "executed"),)  # type: ignore[return-value]

    content = pickle.dumps(Bomb())
    (saved / "policy.safetensors").write_bytes(content)
    edit(saved, weights_sha256=hashlib.sha256(content).hexdigest())
    assert "not a safetensors file" in refusal(saved)
    assert not (saved / "executed").exists()


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (
            {"trunk.weight": TENSORS["trunk.weight"].T.copy()},
            "tensor trunk.weight is float32 [24, 16], expected float32 [16, 24]",
        ),
        ({"value.bias": TENSORS["value.bias"].astype(np.float64)}, "tensor value.bias is float64"),
        ({"policy.bias": np.full(10, np.nan, np.float32)}, "tensor policy.bias holds a number that is not finite"),
        ({"extra": np.zeros(2, np.float32)}, "tensor extra is unknown"),
    ],
)
def test_tensors_of_no_network_are_refused_when_saved_and_when_loaded(
    saved: Path, tmp_path: Path, tensors: dict[str, np.ndarray], told: str
) -> None:
    with pytest.raises(CheckpointError) as refused:
        save_checkpoint(tmp_path / "other", dict(TENSORS) | tensors, LAYOUT, TRAINED)
    assert told in str(refused.value)
    assert not (tmp_path / "other").exists()
    content = save_tensors(dict(TENSORS) | tensors)
    (saved / "policy.safetensors").write_bytes(content)
    edit(saved, weights_sha256=hashlib.sha256(content).hexdigest())
    assert told in refusal(saved)


def another_feature(index: int, **changes: object) -> ObservationLayout:
    features = list(LAYOUT.features)
    features[index] = features[index]._replace(**changes)
    return LAYOUT._replace(features=tuple(features))


@pytest.mark.parametrize(
    ("town", "told"),
    [
        (LAYOUT._replace(variant="compact"), "observation variant is 'hybrid' in the policy and 'compact' in the town"),
        (small_layout(7), "map window is 5 in the policy and 7 in the town"),
        (
            LAYOUT._replace(channels=LAYOUT.channels[:3]),
            "map channel 3 is 'reservation' in the policy and missing in the town",
        ),
        (another_feature(2, name="thirst"), "feature 2 is 'need_energy' [0, 1]"),
        (
            another_feature(4, high=2.0),
            "feature 4 is 'wallet_small' [0, 1] of 5 coins in the policy and 'wallet_small' [0, 2]",
        ),
        (
            LAYOUT._replace(features=(*LAYOUT.features, FeatureSpec("weather", 0.0, 1.0, "flag"))),
            f"feature {len(LAYOUT.features)} is missing in the policy and 'weather' [0, 1] flag in the town",
        ),
        (LAYOUT._replace(actions=(*LAYOUT.actions[:8], "quarrel")), "action 8 is 'relax' in the policy and 'quarrel'"),
    ],
)
def test_another_layout_is_refused_with_its_first_difference(saved: Path, town: ObservationLayout, told: str) -> None:
    text = refusal(saved, town)
    assert told in text
    assert "train a policy on this town" in text
