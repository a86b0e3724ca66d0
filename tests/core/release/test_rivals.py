"""A release of another layout cannot be compared; a damaged one is an error. The two are never mixed up."""

import shutil
from pathlib import Path

import pytest

from tests.small_layouts import small_layout
from townlet_core.errors import CheckpointError, DataError
from townlet_core.observations.layout import FeatureSpec, ObservationLayout
from townlet_core.policy.checkpoint import save_checkpoint
from townlet_core.policy.network import NetworkSize, network_tensors, seeded_network
from townlet_core.release.candidate import Candidate
from townlet_core.release.judging import find_rival
from townlet_core.release.workshop import Workshop
from townlet_core.stability import Release

LAYOUT = small_layout(5)


def saved(folder: Path, layout: ObservationLayout, seed: int = 1) -> str:
    cells = layout.cells
    size = NetworkSize(cells, len(layout.features), len(layout.actions), hidden=8, map_hidden=4)
    return save_checkpoint(folder, network_tensors(seeded_network(size, seed)), layout, {"seed": seed})


def candidate(workshop: Workshop) -> Candidate:
    folder = workshop.data / "candidates/one"
    return Candidate({"digest": saved(folder, LAYOUT)}, folder, reused=True)


def current(workshop: Workshop, layout: ObservationLayout) -> Path:
    """A release of this layout, and the pointer at it; gives its checkpoint folder."""
    folder = workshop.data / "releases/old/content/policy"
    policy = saved(folder, layout, seed=2)
    release = Release(
        release_id="old",
        policy_digest=policy,
        content_digest="b" * 64,
        decision_digest="d" * 64,
        bundle="releases/old",
    )
    workshop.state.write_record("releases/current.json", release.model_dump(mode="json"))
    return folder


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_without_a_release_there_is_no_rival(workshop: Workshop) -> None:
    assert find_rival(candidate(workshop), workshop) is None


def test_a_release_of_the_same_layout_is_compatible(workshop: Workshop) -> None:
    folder = current(workshop, LAYOUT)
    rival = find_rival(candidate(workshop), workshop)
    assert rival is not None
    assert (rival.folder, rival.incompatible) == (folder, None)


OTHERS = [
    (LAYOUT._replace(variant="compact"), "observation variant is 'compact' in the policy and 'hybrid' in the town"),
    (small_layout(7), "map window is 7 in the policy and 5 in the town"),
    (
        LAYOUT._replace(features=(*LAYOUT.features, FeatureSpec("mood", 0.0, 1.0, "flag"))),
        f"feature {len(LAYOUT.features)} is 'mood' [0, 1] flag in the policy and missing in the town",
    ),
    (LAYOUT._replace(actions=LAYOUT.actions[:-1]), f"action {len(LAYOUT.actions) - 1} is missing in the policy"),
]


@pytest.mark.parametrize(("layout", "told"), OTHERS)
def test_a_release_of_another_layout_is_named_with_the_first_difference(
    workshop: Workshop, layout: ObservationLayout, told: str
) -> None:
    current(workshop, layout)
    rival = find_rival(candidate(workshop), workshop)
    assert rival is not None
    assert rival.incompatible is not None
    assert rival.incompatible.startswith(told)


def gone(folder: Path) -> None:
    shutil.rmtree(folder.parents[1])


def without_description(folder: Path) -> None:
    (folder / "policy.json").unlink()


def without_weights(folder: Path) -> None:
    (folder / "policy.safetensors").unlink()


def flipped_weights(folder: Path) -> None:
    weights = folder / "policy.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def edited_layout(folder: Path) -> None:
    description = folder / "policy.json"
    description.write_text(description.read_text().replace("need_hunger", "need_thirst"))


def another_policy(folder: Path) -> None:
    """Whole and consistent, but of a layout that the release never had."""
    saved(folder, small_layout(9), seed=3)


@pytest.mark.parametrize("layout", [LAYOUT, small_layout(7)], ids=["same layout", "another layout"])
@pytest.mark.parametrize(
    ("spoil", "error", "told"),
    [
        (gone, CheckpointError, "policy.json: missing"),
        (without_description, CheckpointError, "policy.json: missing"),
        (without_weights, CheckpointError, "policy.safetensors: missing"),
        (flipped_weights, CheckpointError, "policy.safetensors: sha256 is"),
        (edited_layout, CheckpointError, "is not the digest of the layout beside it"),
        (another_policy, DataError, "release old is about"),
    ],
)
def test_a_damaged_or_missing_release_is_an_error_and_never_called_incompatible(
    workshop: Workshop, layout: ObservationLayout, spoil, error: type[Exception], told: str
) -> None:
    spoil(current(workshop, layout))
    with pytest.raises(error, match=told) as refused:
        find_rival(candidate(workshop), workshop)
    assert "\n" not in str(refused.value)
