"""The form of a snapshot is published; a change of it is a new schema version with a migration."""

import json
from pathlib import Path

from safetensors import safe_open

from townlet_core.config import TownConfig, config_digest
from townlet_core.core import Simulation
from townlet_core.core.statefile import read_statefile
from townlet_core.snapshots import published_form

GOLDEN = Path(__file__).parent / "golden" / "schema.json"


def test_the_published_form_is_the_golden_one(config: TownConfig) -> None:
    """After a change: raise SCHEMA_VERSION, register a migration from the last, and write the golden file anew."""
    assert published_form(Simulation(config)) == json.loads(GOLDEN.read_text())


def test_a_file_holds_what_is_published_and_stands_alone(saved: Path, config: TownConfig) -> None:
    header, arrays = read_statefile(saved)
    golden = json.loads(GOLDEN.read_text())
    assert set(header["identity"]) == set(golden["identity"])
    assert set(arrays) == set(golden["arrays"])
    assert TownConfig.model_validate_json(json.dumps(header["identity"]["config"])) == config
    assert header["identity"]["config_digest"] == config_digest(config)


def test_other_tools_open_it(saved: Path) -> None:
    with safe_open(saved, framework="np") as opened:
        assert json.loads(opened.metadata()["townlet"])["body"]["identity"]["towns"] == 2
        assert opened.get_tensor("state.agents").size > 0
