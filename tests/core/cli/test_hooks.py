"""Python hooks on the command line: run when asked, listed with what became of them, never on a snapshot's word."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.cli.conftest import ROOT, Townlet

MODULE = "hooks_of_the_command_line"


@pytest.fixture
def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A town whose showers name three hooks, of which it allows two."""
    (tmp_path / f"{MODULE}.py").write_text("def note(use):\n    pass\ndef stumble(use):\n    raise ValueError('no')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    core = (ROOT / "configs" / "affordances" / "core.yaml").read_text()
    named = f"before: [pay_first, '{MODULE}:note', '{MODULE}:stumble', 'elsewhere:note']"
    assert core.count("before: [pay_first]") == 1
    (tmp_path / "core.yaml").write_text(core.replace("before: [pay_first]", named))
    default = (ROOT / "configs" / "towns" / "default.yaml").read_text()
    text = default.replace("../maps", str(ROOT / "configs" / "maps")).replace("../affordances/core.yaml", "core.yaml")
    path = tmp_path / "town.yaml"
    path.write_text(text.replace("  allow: []\n", f"  allow: [{MODULE}]\n"))
    yield path
    sys.modules.pop(MODULE, None)


def test_what_cannot_be_called_is_listed_and_refused(townlet: Townlet, town: Path) -> None:
    outcome = townlet("validate", "hooks", town, "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 1
    assert [hook["enabled"] for hook in document["hooks"]] == [True, True, False]
    assert "not in the allow-list" in document["hooks"][2]["problem"]
    assert "elsewhere:note" in townlet("validate", "hooks", town).out


def test_a_town_without_hooks_is_in_order(townlet: Townlet) -> None:
    outcome = townlet("validate", "hooks", ROOT / "configs" / "towns" / "default.yaml")
    assert outcome.code == 0
    assert "no Python hooks" in outcome.out


def test_hooks_run_only_when_asked_and_are_reported(townlet: Townlet, town: Path) -> None:
    quiet = townlet("simulate", "--config", town, "--towns", "1", "--json")
    assert quiet.code == 0
    assert "3 Python hooks are not run" in quiet.err
    assert MODULE not in sys.modules
    asked = json.loads(townlet("simulate", "--config", town, "--towns", "1", "--hooks", "--json").out)
    note, stumble, elsewhere = asked["hooks"]
    assert note["calls"] > 3
    assert (stumble["calls"], stumble["failures"], stumble["enabled"]) == (3, 3, False)
    assert (elsewhere["calls"], elsewhere["enabled"]) == (0, False)
    assert asked["kpis"] == json.loads(quiet.out)["kpis"]


def test_a_snapshot_cannot_bring_its_own_allow_list(townlet: Townlet, tmp_path: Path) -> None:
    outcome = townlet("simulate", "--resume", tmp_path / "towns.safetensors", "--hooks")
    assert outcome.code == 2
    assert "also name --config or --scenario" in outcome.err


def test_modules_that_only_the_environment_allows_are_told_where_the_town_forbids_that(
    townlet: Townlet, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOWNLET_AFFORDANCE_HOOK_MODULES", f"elsewhere, {MODULE}")
    assert "allow_env" not in townlet("validate", "hooks", town).err
    town.write_text(town.read_text().replace("allow_env: true", "allow_env: false"))
    assert "names elsewhere, but hooks.allow_env is false" in townlet("validate", "hooks", town).err
    assert "names elsewhere" in townlet("simulate", "--config", town, "--towns", "1", "--hooks", "--json").err
