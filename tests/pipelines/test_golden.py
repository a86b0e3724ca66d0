"""Golden rollouts on a real release: who sets the bar, who does not count, and that nobody lives twice."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

import townlet_core.release.golden
from pipelines.cli import whole_application
from tests.pipelines.conftest import Prepared
from tests.pipelines.test_fail_closed import another_candidate
from tests.pipelines.test_other_layout import release_before
from tests.small_house import edit
from townlet_core.errors import DataError
from townlet_core.release.candidate import read_candidate
from townlet_core.release.golden import Golden, rehearse_golden, require_golden
from townlet_core.stability import current_release, roll_back
from townlet_core.stability.pointer import PROMOTED, point


def rehearsed(house: Prepared) -> Golden:
    workshop = house.line.workshop
    return rehearse_golden(read_candidate(workshop), house.configs, workshop)


def promote(house: Prepared, *words: str) -> Result:
    environment = {"TOWNLET_DATA": str(house.data), "TOWNLET_CONFIGS": str(house.configs)}
    return CliRunner().invoke(whole_application(), ["promote", *words], env=environment)


def test_before_the_first_release_the_teacher_sets_the_bar_and_the_record_says_so(prepared: Prepared) -> None:
    report = require_golden(read_candidate(prepared.line.workshop), prepared.configs, prepared.line.workshop).report
    assert report.reference == "teacher"
    assert set(report.policies) == {"candidate", "teacher"}
    assert report.bar == "the teacher, since no earlier release can live in these towns"


def test_a_plan_that_lets_nobody_stand_in_refuses_a_first_release(prepared: Prepared) -> None:
    golden = yaml.safe_load((prepared.configs / "rehearsal.yaml").read_text())["golden"]
    edit(prepared.configs / "rehearsal.yaml", golden={**golden, "first_release": "refuse"})
    report = rehearsed(prepared).report
    assert not report.holds
    assert report.bar.startswith("nobody")


def test_the_release_before_sets_the_bar_and_what_it_lived_is_found_again(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = current_release(prepared.line.workshop.state)
    assert released is not None
    another_candidate(prepared)
    lived = []
    real = townlet_core.release.golden.roll_out
    monkeypatch.setattr(townlet_core.release.golden, "roll_out", lambda *args: lived.append(args) or real(*args))
    found = rehearsed(prepared)
    assert found.report.reference == "releases"
    assert set(found.report.policies) == {"candidate", released.release_id, "teacher"}
    assert all(f"; {released.release_id}: " in one.reason for one in found.report.criteria)
    assert len(lived) == 1, "only the new candidate lives; the release and the teacher have lived there before"
    assert rehearsed(prepared).reused
    assert len(lived) == 1


def test_a_release_of_another_layout_sets_no_bar_and_the_record_says_why(prepared: Prepared) -> None:
    before = release_before(prepared, "thirst")
    report = rehearsed(prepared).report
    assert report.reference == "teacher"
    assert "need_thirst" in report.left_out[before.release_id]


def test_a_release_that_was_taken_back_sets_no_bar_and_one_that_is_lost_is_an_error(prepared: Prepared) -> None:
    state = prepared.line.workshop.state
    first = current_release(state)
    assert first is not None
    second = first.model_copy(update={"release_id": "second", "policy_digest": "e" * 64})
    point(state, second, PROMOTED, {})
    roll_back(state, lambda release: None, {})
    another_candidate(prepared)
    report = rehearsed(prepared).report
    assert report.left_out == {"second": "it was rolled back"}
    assert first.release_id in report.policies
    (prepared.data / first.bundle / "content/policy/policy.safetensors").unlink()
    with pytest.raises(DataError, match=r"policy\.safetensors: missing.*let fewer releases count"):
        rehearsed(prepared)


def test_the_command_ends_with_0_or_1_and_names_what_was_forgotten(prepared: Prepared) -> None:
    kept = promote(prepared, "golden")
    assert kept.exit_code == 0, kept.output
    assert "nothing was forgotten; the bar was set by the teacher" in kept.stdout
    golden = yaml.safe_load((prepared.configs / "rehearsal.yaml").read_text())["golden"]
    edit(prepared.configs / "rehearsal.yaml", golden={**golden, "bands": {"return": {"margin": 0.0}}})
    lost = promote(prepared, "golden", "--json")
    assert lost.exit_code == 1
    report = json.loads(lost.stdout)
    failed = [one for one in report["criteria"] if one["verdict"] == "fail"]
    assert failed
    assert all(one["name"].startswith("golden.") and one["value"] < one["bound"] for one in failed)
    status = promote(prepared, "status", "--json")
    assert json.loads(status.stdout)["state"] == "promoted"
    Path(prepared.data / "releases/current.json").unlink()
    Path(prepared.data / "releases/history.jsonl").unlink()
    status = json.loads(promote(prepared, "status", "--json").stdout)
    assert status["state"] == "monitoring"
    assert "golden: refused: fail: golden." in status["why"]


def test_the_bundle_holds_the_golden_rollouts_and_its_lineage_names_them(prepared: Prepared) -> None:
    released = current_release(prepared.line.workshop.state)
    assert released is not None
    content = prepared.data / released.bundle / "content"
    report = json.loads((content / "decision/golden.json").read_text())
    assert report["policies"]["candidate"] == released.policy_digest
    node = json.loads((content / "lineage.json").read_text())["nodes"]["golden"]
    assert {"config/rehearsal.json", "decision/golden.json", "evaluation/golden.parquet"} <= set(node["in_bundle"])
    assert "## Golden rollouts" in (content / "evaluation/report.md").read_text()
