"""`townlet simulate --check` and `townlet validate scenarios` say whether scenarios keep their promises."""

import json
from pathlib import Path

from tests.core.cli.conftest import ROOT, Townlet

LATE = ROOT / "configs" / "scenarios" / "late_clerk.yaml"


def broken_copy(folder: Path, old: str, new: str) -> Path:
    """A copy of the late clerk with something changed."""
    text = LATE.read_text().replace("../", f"{ROOT}/configs/")
    assert old in text
    path = folder / LATE.name
    path.write_text(text.replace(old, new))
    return path


def test_a_kept_promise_is_exit_code_0_and_a_table(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--scenario", "late_clerk", "--check")
    assert outcome.code == 0
    assert "the other is late" in outcome.out
    assert "BROKEN" not in outcome.out


def test_a_broken_promise_is_exit_code_1_and_says_what_was_observed(townlet: Townlet, tmp_path: Path) -> None:
    path = broken_copy(tmp_path, "subject: agent_2, exactly: 1", "subject: agent_2, exactly: 2")
    outcome = townlet("simulate", "--scenario", path, "--check", "--towns", 3)
    assert outcome.code == 1
    line = next(line for line in outcome.out.splitlines() if "BROKEN" in line)
    assert "1; 0 of 3 towns meet it" in line


def test_a_script_reads_json_of_the_run_that_was_asked_for(townlet: Townlet) -> None:
    outcome = townlet("simulate", "--scenario", "late_clerk", "--check", "--json", "--towns", 2, "--seed", 5)
    document = json.loads(outcome.out)
    assert (document["met"], document["towns"], document["seed"], document["ticks"]) == (True, 2, 5, 240)
    assert all(verdict["met"] for verdict in document["verdicts"])
    assert document["verdicts"][0]["lowest"] == 1.0


def test_what_does_not_go_with_a_check_is_refused(townlet: Townlet) -> None:
    assert townlet("simulate", "--check").err.startswith("--check: checks what a scenario promises")
    outcome = townlet("simulate", "--scenario", "late_clerk", "--check", "--days", 2)
    assert outcome.code == 2
    assert outcome.err.startswith("--days: does not go with --check")


def test_every_shipped_scenario_is_sound_down_to_its_names(townlet: Townlet) -> None:
    outcome = townlet("validate", "scenarios", "--json")
    assert outcome.code == 0
    counts = json.loads(outcome.out)["scenarios"]
    assert min(counts.values()) >= 4
    assert {path.stem for path in (ROOT / "configs" / "scenarios").glob("*.yaml")} == set(counts)


def test_a_name_that_means_nothing_is_refused_with_its_line(townlet: Townlet, tmp_path: Path) -> None:
    path = broken_copy(tmp_path, "event: shift_absent", "event: shift_absnt")
    outcome = townlet("validate", "scenarios", path)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "shift_absnt" in text)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{path}:{line}: expectations[3].event: unknown event 'shift_absnt'; did you mean")


def test_several_scenarios_are_lived_and_judged_at_once(townlet: Townlet, tmp_path: Path) -> None:
    path = broken_copy(tmp_path, "exactly: 0", "exactly: 3")
    outcome = townlet("validate", "scenarios", "kitchen_breakfast", path, "--run", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 1
    assert [(one["scenario"], one["met"]) for one in document["checks"]] == [
        ("kitchen_breakfast", True),
        ("late_clerk", False),
    ]


def test_a_scenario_that_is_not_captured_is_refused_by_capture(townlet: Townlet) -> None:
    outcome = townlet("capture", "late_clerk")
    assert outcome.code == 2
    assert "scenario late_clerk: has no 'capture' section" in outcome.err
