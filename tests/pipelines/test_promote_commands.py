"""`townlet promote` on a real release: what it says, what it does, and that doing it twice is doing it once."""

import json

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli import whole_application
from tests.pipelines.conftest import Prepared
from tests.small_house import edit
from townlet_core.errors import DataError, InputError, RefusedError


class Command:
    """The command line over one house."""

    def __init__(self, house: Prepared) -> None:
        self.house = house
        self.environment = {"TOWNLET_DATA": str(house.data), "TOWNLET_CONFIGS": str(house.configs)}

    def __call__(self, *words: str) -> dict[str, object]:
        """Run `townlet promote WORDS --json`, raise what it raises, and return its document."""
        result = CliRunner().invoke(whole_application(), ["promote", *words, "--json"], env=self.environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        document: dict[str, object] = json.loads(result.stdout)
        return document

    def files(self) -> dict[str, bytes]:
        """Pointer and history, byte for byte."""
        return {path.name: path.read_bytes() for path in (self.house.data / "releases").glob("*.json*")}


@pytest.fixture
def promote(prepared: Prepared) -> Command:
    return Command(prepared)


def test_status_tells_a_promoted_release_and_the_way_there(promote: Command) -> None:
    found = promote("status")
    assert (found["state"], found["verdict"]) == ("promoted", "PROMOTE")
    releases = promote.house.data / "releases"
    for name in ("current.json", "history.jsonl"):
        (releases / name).unlink()
    found = promote("status")
    assert (found["state"], found["current"]) == ("ready", None)
    assert "townlet promote apply" in str(found["why"])
    (promote.house.data / "promotion/decision.json").unlink()
    assert promote("status")["state"] == "monitoring"


def test_applying_twice_is_applying_once(promote: Command) -> None:
    before = promote.files()
    assert promote("apply")["moved"] is False
    assert promote.files() == before
    (promote.house.data / "releases/current.json").unlink()
    (promote.house.data / "releases/history.jsonl").unlink()
    assert promote("apply")["moved"] is True
    assert promote("apply")["moved"] is False
    (entry,) = json.loads(json.dumps(promote("history")))
    assert entry["event"] == "promoted"


def test_the_first_release_cannot_be_rolled_back_and_a_stranger_cannot_be_swapped_in(promote: Command) -> None:
    before = promote.files()
    with pytest.raises(RefusedError, match="is the first release"):
        promote("rollback")
    with pytest.raises(InputError, match="no release of this name; known: townlet-"):
        promote("swap", "townlet-x")
    assert promote.files() == before


def test_a_bundle_that_lost_a_file_is_not_applied(promote: Command) -> None:
    (promote.house.data / "releases/current.json").unlink()
    (promote.house.data / "releases/history.jsonl").unlink()
    (bundle,) = (path for path in (promote.house.data / "releases").iterdir() if path.is_dir())
    (bundle / "content/README.md").unlink()
    with pytest.raises(DataError, match=r"content/README\.md"):
        promote("apply")
    assert promote.files() == {}


def judging(house: Prepared, *words: str) -> Result:
    environment = {"TOWNLET_DATA": str(house.data), "TOWNLET_CONFIGS": str(house.configs)}
    return CliRunner().invoke(whole_application(), ["promote", *words], env=environment)


def test_evaluating_ends_with_0_1_or_2_and_says_every_criterion(prepared: Prepared) -> None:
    told = judging(prepared, "evaluate")
    assert told.exit_code == 0, told.output
    assert "pass  comparison.window_2:" in told.stdout
    assert told.stdout.splitlines()[-1].startswith("PROMOTE of ")
    gates = prepared.configs / "gates.yaml"
    plan = yaml.safe_load(gates.read_text())
    edit(gates, first_release={"allow": False, "must_match": "teacher"})
    assert judging(prepared, "evaluate", "--dry-run").exit_code == 1
    edit(gates, **{**plan, "cloning": {**plan["cloning"], "min_accuracy": 1.0}})
    failed = judging(prepared, "evaluate", "--json")
    assert failed.exit_code == 2
    outcome = json.loads(failed.stdout)
    assert outcome["verdict"] == "FAIL"
    (worst,) = [one for one in outcome["criteria"] if one["name"] == "cloning.accuracy"]
    assert worst["verdict"] == "fail"
    assert worst["what_would_change"]


def test_a_dry_run_records_nothing(prepared: Prepared) -> None:
    before = (prepared.data / "promotion/decision.json").read_bytes()
    edit(prepared.configs / "gates.yaml", plan="another_plan")
    judging(prepared, "evaluate", "--dry-run")
    assert (prepared.data / "promotion/decision.json").read_bytes() == before


def test_a_calibration_is_found_again_and_says_whether_every_target_is_met(prepared: Prepared) -> None:
    found = judging(prepared, "calibrate", "--json")
    outcome = json.loads(found.stdout)
    assert found.exit_code == (0 if all(one["holds"] for one in outcome["promises"]) else 1)
    published = json.loads((prepared.data / "line/calibration.json").read_text())
    assert outcome["digest"] == published["digest"]
    assert {one["trials"] for one in outcome["rates"]} == {20}
