"""A town whose layout has changed can be released again, by a rule of the plan and by nothing else."""

import json
import shutil
from pathlib import Path

import pytest

from tests.pipelines.conftest import Prepared
from tests.pipelines.test_fail_closed import materialised, nothing_shipped, refusals, replace
from tests.small_house import edit
from townlet_core.policy.checkpoint import read_checkpoint, save_checkpoint
from townlet_core.release.bundle import Part, build_bundle
from townlet_core.release.candidate import read_candidate
from townlet_core.stability import HistoryEntry, Release, current_release, read_decision

SHIPPING = ("promotion_drill", "release_bundle", "release_pointer")
JUDGING = ("evaluation", "promotion_decision", "golden_rollouts", *SHIPPING)


def release_before(house: Prepared, name: str) -> Release:
    """Make the current release one whose citizens knew a need that the towns of today do not have."""
    found = read_checkpoint(read_candidate(house.line.workshop).folder)
    first, *rest = found.layout.features
    layout = found.layout._replace(features=(first._replace(name=f"need_{name}"), *rest))
    folder = house.data / name
    policy = save_checkpoint(folder, found.tensors, layout, {"made": name})
    parts: dict[str, Part] = {f"policy/{file.name}": file for file in folder.iterdir()}
    bundle = build_bundle({**parts, "lineage.json": b'{"nodes": {}}'}, {}, house.data / "releases")
    release = Release(
        release_id=bundle.path.name,
        policy_digest=policy,
        content_digest=bundle.content_digest,
        decision_digest="d" * 64,
        bundle=f"releases/{bundle.path.name}",
    )
    entry = HistoryEntry(sequence=1, event="promoted", release=release, previous=None, facts={})
    replace(house.data / "releases/history.jsonl", entry.model_dump_json() + "\n")
    replace(house.data / "releases/current.json", release.model_dump_json())
    return release


def allow(house: Prepared, allowed: bool) -> None:
    edit(house.configs / "gates.yaml", incompatible_release={"allow": allowed, "must_match": "teacher"})


def test_with_the_rule_a_release_of_another_layout_is_replaced_and_the_card_says_so(prepared: Prepared) -> None:
    before = release_before(prepared, "thirst")
    assert prepared.materialise(*JUDGING).success
    state = prepared.line.workshop.state
    released, decision = current_release(state), read_decision(state)
    assert released is not None
    assert decision is not None
    assert released.policy_digest == read_candidate(prepared.line.workshop).digest
    assert (decision.baseline_digest, decision.first_release) == (before.policy_digest, False)
    assert decision.incompatible is not None
    assert "'need_thirst'" in decision.incompatible
    content = prepared.data / released.bundle / "content"
    assert (
        f"the release it replaces, `{before.policy_digest[:12]}`, could not be" in (content / "README.md").read_text()
    )
    assert "current" not in json.loads((content / "evaluation/evaluation.json").read_text())["policies"]
    assert prepared.materialise(*JUDGING).success
    assert current_release(state) == released


def test_without_the_rule_every_candidate_is_held(prepared: Prepared) -> None:
    release_before(prepared, "thirst")
    allow(prepared, False)
    with nothing_shipped(prepared):
        result = prepared.materialise(*JUDGING)
    (check,) = [check for check in result.get_asset_check_evaluations() if check.check_name == "verdict"]
    assert "promotion: refused: HOLD: incompatible_release: " in (check.description or "")
    assert materialised(result) == {"evaluation", "promotion_decision", "golden_rollouts"}
    with nothing_shipped(prepared):
        assert "refused: HOLD: incompatible_release" in refusals(prepared.materialise("release_bundle", checks=False))


def test_a_decision_over_another_release_is_stale_even_if_that_one_has_another_layout_too(prepared: Prepared) -> None:
    release_before(prepared, "thirst")
    assert prepared.materialise("evaluation", "promotion_decision").success
    release_before(prepared, "sleepiness")
    with nothing_shipped(prepared):
        for key in ("release_bundle", "release_pointer"):
            assert "the decision compares with another release" in refusals(prepared.materialise(key))


def gone(policy: Path) -> None:
    shutil.rmtree(policy.parents[1])


def shortened(policy: Path) -> None:
    weights = policy / "policy.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])


@pytest.mark.parametrize(("spoil", "says"), [(gone, "policy.json: missing"), (shortened, "policy.safetensors: sha256")])
@pytest.mark.parametrize("decided", [False, True], ids=["before the decision", "after it"])
def test_a_damaged_release_is_an_error_whatever_the_rule_says(
    prepared: Prepared, spoil, says: str, decided: bool
) -> None:
    before = release_before(prepared, "thirst")
    if decided:
        assert prepared.materialise("evaluation", "promotion_decision").success
    spoil(prepared.data / before.bundle / "content/policy")
    with nothing_shipped(prepared):
        assert says in refusals(prepared.materialise(*(("release_bundle",) if decided else JUDGING)))
