"""`townlet simulate` saves and resumes runs, and `townlet snapshot` looks after the files."""

import json
from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet

SHORT = ("--towns", 2, "--json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where snapshots may lie."""
    return tmp_path / "data" / "snapshots"


@pytest.fixture
def file(townlet: Townlet, folder: Path) -> Path:
    """The snapshot of a run at its 1000th tick."""
    townlet("simulate", *SHORT, "--autosave", folder, "--every", 500, "--keep", 1)
    (path,) = folder.iterdir()
    return path


def test_a_resumed_run_ends_as_if_it_had_not_stopped(townlet: Townlet, file: Path) -> None:
    whole, resumed = townlet("simulate", *SHORT), townlet("simulate", "--json", "--resume", file, "--threads", 2)
    assert file.name.endswith("-000001000.safetensors")
    assert resumed.code == 0
    assert resumed.out == whole.out


def test_a_resumed_run_goes_on_saving(townlet: Townlet, file: Path, folder: Path) -> None:
    townlet("simulate", "--json", "--resume", file, "--autosave", folder, "--every", 400, "--keep", 5)
    assert [path.stem.split("-")[1] for path in sorted(folder.iterdir())] == ["000001000", "000001200"]


def test_without_numbers_the_configuration_decides(townlet: Townlet, folder: Path) -> None:
    assert townlet("simulate", *SHORT, "--days", 5, "--autosave", folder).code == 0
    assert [path.stem.split("-")[1] for path in sorted(folder.iterdir())] == ["000004320", "000005760", "000007200"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--every", 500), "--every: says how to save, but nothing is saved"),
        (("--autosave", "elsewhere"), "elsewhere: lies outside"),
    ],
)
def test_saving_that_cannot_be_is_refused_before_anybody_lives(townlet: Townlet, words: tuple, reason: str) -> None:
    outcome = townlet("simulate", *SHORT, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(reason)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--seed", 7), "--seed: "),
        (("--days", 2), "--days: "),
        (("--towns", 2), "--towns: "),
        (("--scenario", "one_shower"), "first difference: map"),
    ],
)
def test_what_contradicts_a_snapshot_is_refused(townlet: Townlet, file: Path, words: tuple, reason: str) -> None:
    outcome = townlet("simulate", "--resume", file, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert reason in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_a_snapshot_resumes_in_its_own_town(townlet: Townlet, file: Path) -> None:
    town = ROOT / "configs" / "towns" / "default.yaml"
    assert townlet("simulate", "--json", "--resume", file, "--config", town).code == 0


def test_towns_saved_by_another_engine_go_on_with_a_warning(
    townlet: Townlet, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("townlet_core.cli.resuming.source_digest", lambda *packages: "another")
    outcome = townlet("simulate", "--json", "--resume", file)
    assert outcome.code == 0
    assert outcome.err.startswith(f"warning: {file} was saved by other rules of the engine")


def test_inspect_tells_whose_towns_they_are(townlet: Townlet, file: Path) -> None:
    shown, document = townlet("snapshot", "inspect", file), townlet("snapshot", "inspect", file, "--json")
    assert "default-hybrid-1" in shown.out
    identity = json.loads(document.out)["identity"]
    assert (identity["tick"], identity["towns"], identity["policy_name"]) == (1000, 2, "teacher")
    assert len(identity["policy_digest"]) == 64
    assert json.loads(document.out)["same_engine"] is True


def test_validate_loads_for_a_trial(townlet: Townlet, file: Path) -> None:
    assert "a sound snapshot" in townlet("snapshot", "validate", file).out
    assert json.loads(townlet("snapshot", "validate", file, "--json").out)["ok"] is True
    file.write_bytes(file.read_bytes()[:-1])
    outcome = townlet("snapshot", "validate", file)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"{file}: damaged: ")


def test_migrate_writes_towns_that_live_by_another_configuration(townlet: Townlet, file: Path, tmp_path: Path) -> None:
    text = (ROOT / "configs" / "towns" / "default.yaml").read_text().replace("../", f"{ROOT}/configs/")
    town, target = tmp_path / "town.yaml", file.with_name("renamed.safetensors")
    town.write_text(text.replace("config_id: default-hybrid-1", "config_id: renamed-hybrid-1"))
    outcome = townlet("snapshot", "migrate", file, "--output", target, "--config", town, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["migrations"][0].endswith(":adopted")
    assert townlet("snapshot", "validate", target, "--config", town).code == 0
    assert townlet("snapshot", "validate", file, "--config", town).code == 2


@pytest.mark.parametrize("verb", ["inspect", "validate", "migrate"])
def test_files_elsewhere_are_not_touched(townlet: Townlet, file: Path, tmp_path: Path, verb: str) -> None:
    stray = file.rename(tmp_path / file.name)
    words = ("--output", file) if verb == "migrate" else ()
    outcome = townlet("snapshot", verb, stray, *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert "lies outside" in outcome.err
    assert not file.exists()


@pytest.mark.parametrize("verb", ["inspect", "validate", "migrate"])
def test_the_help_of_every_verb_shows_an_example(townlet: Townlet, verb: str) -> None:
    outcome = townlet("snapshot", verb, "--help")
    assert f"Example: townlet snapshot {verb}" in outcome.out
