"""`townlet validate` says what a sound file holds, and names the first fault of another."""

import json
from pathlib import Path

from tests.core.cli.conftest import ROOT, Townlet

CONFIGS = ROOT / "configs"


def test_a_sound_town_is_described(townlet: Townlet) -> None:
    outcome = townlet("validate", "config", CONFIGS / "towns" / "default.yaml")
    assert outcome.code == 0
    assert "a sound town" in outcome.out
    assert "default-hybrid-1" in outcome.out


def test_a_script_reads_the_same_facts_as_json(townlet: Townlet) -> None:
    outcome = townlet("validate", "map", CONFIGS / "maps" / "default.yaml", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert document["ok"] is True
    assert document["kind"] == "map"
    assert document["facts"]["homes"] == "4"


def test_an_affordance_without_its_object_is_refused_at_its_line(townlet: Townlet, tmp_path: Path) -> None:
    broken = tmp_path / "core.yaml"
    lines = (CONFIGS / "affordances" / "core.yaml").read_text().replace("object: stove", "object: stvoe").splitlines()
    broken.write_text("\n".join(lines))
    line = next(number for number, text in enumerate(lines, 1) if "object: stvoe" in text)
    outcome = townlet("validate", "affordances", broken)
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith(f"{broken}:{line}: ")
    assert "stove" in outcome.err


def test_a_home_that_cannot_be_reached_is_refused(townlet: Townlet, tmp_path: Path) -> None:
    broken = tmp_path / "walled.yaml"
    broken.write_text((CONFIGS / "maps" / "default.yaml").read_text().replace("####+####", "#########", 1))
    outcome = townlet("validate", "map", broken)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{broken}:")
    assert len(outcome.err.splitlines()) == 1


def test_a_file_of_no_known_kind_is_refused(townlet: Townlet, tmp_path: Path) -> None:
    stray = tmp_path / "stray.yaml"
    stray.write_text("colour: blue\n")
    outcome = townlet("validate", "config", stray)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{stray}:1")
