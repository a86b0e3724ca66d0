"""`townlet config` says what a key means and where its value comes from, and how two towns differ."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.conftest import ROOT, Townlet
from townlet_core.config import SCHEMA_KINDS, load_config
from townlet_core.config.documents import dotted, every_path
from townlet_core.config.settings import explain_key
from townlet_core.config.tracing import trace_any

TOWN = ROOT / "configs" / "towns" / "default.yaml"


def line_of(path: Path, start: str) -> int:
    return next(
        number for number, text in enumerate(path.read_text().splitlines(), 1) if text.strip().startswith(start)
    )


def explained(townlet: Townlet, *words: object) -> dict[str, Any]:
    outcome = townlet("config", "explain", *words, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the default town, beside the files that it names, with one text replaced."""
    text = TOWN.read_text()
    assert text.count(old) == 1
    path = tmp_path / "town.yaml"
    path.write_text(text.replace(old, new).replace("../", f"{ROOT}/configs/"))
    return path


def test_a_key_says_what_it_accepts_and_the_line_it_comes_from(townlet: Townlet) -> None:
    outcome = townlet("config", "explain", "queues.patience_ticks")
    assert outcome.code == 0
    assert "a whole number from 1 to 100000" in outcome.out
    assert f"{TOWN}:{line_of(TOWN, 'patience_ticks')}" in outcome.out
    assert "How waiting works" in outcome.out


def test_a_key_that_is_left_out_has_its_default_and_no_line(townlet: Townlet, tmp_path: Path) -> None:
    town = edited(tmp_path, "  patience_ticks: 90\n", "")
    setting = explained(townlet, "queues.patience_ticks", "--config", town)
    assert (setting["value"], setting["default"], setting["has_default"], setting["written"]) == (90, 90, True, None)
    assert "no file writes it" in townlet("config", "explain", "queues.patience_ticks", "--config", town).out


def test_a_key_without_a_default_says_so(townlet: Townlet) -> None:
    setting = explained(townlet, "jobs.clerk.wage_rate")
    assert (setting["has_default"], setting["default"], setting["value"]) == (False, None, 0.02)
    assert setting["written"] == f"{TOWN}:{line_of(TOWN, 'clerk:')}"


def test_a_map_is_explained_at_its_own_file_even_for_a_tile_that_is_a_dot(townlet: Townlet) -> None:
    maps = ROOT / "configs" / "maps" / "default.yaml"
    assert explained(townlet, "map.rows[2]")["written"].startswith(f"{maps}:")
    assert explained(townlet, "map.legend...terrain")["key"] == "map.legend...terrain"


def test_what_a_scenario_overrides_comes_from_its_file(townlet: Townlet) -> None:
    path = ROOT / "configs" / "scenarios" / "low_money.yaml"
    by_name = explained(townlet, "economy.initial_wallet", "--scenario", "low_money")
    assert by_name["value"] == [0.0, 3.0]
    assert by_name["written"] == f"{path}:{line_of(path, 'economy')}"
    assert explained(townlet, "economy.initial_wallet", "--config", path) == by_name
    assert explained(townlet, "needs.asleep_factor", "--scenario", "low_money")["written"].startswith(f"{TOWN}:")


def test_a_list_that_a_scenario_replaces_leaves_no_line_of_the_old_one(townlet: Townlet, tmp_path: Path) -> None:
    old = "outages: [{utility: power, start: [1, 2], ticks: [3, 4], probability: 0.5}]"
    town = edited(tmp_path, "outages: []", old)
    path = tmp_path / "dry.yaml"
    replaced = "overrides: {outages: [{utility: water, start: [1, 2], ticks: [3, 4]}]}"
    path.write_text(f"scenario: dry\ntown: {town}\n{replaced}\n")
    setting = explained(townlet, "outages[0].probability", "--scenario", path)
    assert (setting["value"], setting["written"]) == (1.0, None)


def test_every_key_of_a_town_can_be_explained_and_says_the_truth(townlet: Townlet, tmp_path: Path) -> None:
    """Every key stands in the file, or its value is the default; the value is what the loaded town has."""
    from townlet_core.config.loading import trace_file
    from townlet_core.config.settings import explain_key

    town = trace_file(edited(tmp_path, "  prices: {meal: 0.9, groceries: 1.2, shower: 0.05, clothes: 4.0}\n", ""))
    data = town.config.model_dump(mode="json")
    for path in every_path(data):
        if path:
            value = data
            for part in path:
                value = value[part]
            setting = explain_key(town, dotted(path))
            assert setting.key == dotted(path)
            assert setting.value == value
            assert setting.about
            assert setting.written or (setting.has_default and setting.default == value), path


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("queues.patience_tick", "did you mean 'queues.patience_ticks'?"),
        ("patience_ticks", "did you mean 'queues.patience_ticks'?"),
        ("patience_tikcs", "did you mean 'queues.patience_ticks'?"),
        ("map.rows[400]", "did you mean 'map.rows'?"),
        ("zzz", "expected one of affordance_jitter, "),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_meant(townlet: Townlet, key: str, hint: str) -> None:
    outcome = townlet("config", "explain", key)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"{key}: unknown key")
    assert hint in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_keys_of_an_empty_section_are_explained_without_a_value(townlet: Townlet) -> None:
    setting = explained(townlet, "outages[0].probability")
    assert (setting["exists"], setting["value"], setting["default"], setting["written"]) == (False, None, 1.0, None)
    assert "the tick of day it starts at" in setting["about"]
    assert "none: the section is empty" in townlet("config", "explain", "outages[0].start").out
    assert townlet("config", "explain", "outages[0].begin").code == 2


def test_files_of_every_kind_are_explained(townlet: Townlet) -> None:
    path = ROOT / "configs" / "telemetry.yaml"
    setting = explained(townlet, "buffer.max_bytes", "--config", path)
    assert setting["written"] == f"{path}:{line_of(path, 'max_bytes')}"
    assert (setting["has_default"], setting["accepts"]) == (True, "a whole number from 1024 to 16777216")
    for file in sorted((ROOT / "configs").rglob("*.yaml")):
        found = trace_any(file)
        for key in every_path(found.config.model_dump(mode="json")):
            assert not key or explain_key(found, dotted(key)).exists


def test_two_files_of_one_kind_are_compared_and_of_two_are_not(townlet: Townlet) -> None:
    quick, full = (ROOT / "configs" / "training" / f"{name}.yaml" for name in ("quick", "full"))
    found = json.loads(townlet("config", "diff", quick, full, "--json").out)["differences"]
    assert {"key": "profile", "a": "quick", "b": "full"} in found
    assert townlet("config", "diff", quick, quick).out.strip() == "the same"
    outcome = townlet("config", "diff", quick, TOWN)
    assert (outcome.code, "are of different kinds" in outcome.err) == (2, True)


def test_two_towns_are_compared_by_their_resolved_keys(townlet: Townlet) -> None:
    outcome = townlet("config", "diff", "low_money", "stove_outage", "--json")
    found = {each.pop("key"): each for each in json.loads(outcome.out)["differences"]}
    assert outcome.code == 1
    assert found["economy.initial_wallet"] == {"a": [0.0, 3.0], "b": [8.0, 20.0]}
    assert found["outages[0].utility"] == {"b": "power"}
    assert found["outages[0].probability"] == {"b": 1.0}
    shown = townlet("config", "diff", "low_money", "stove_outage")
    assert shown.code == 1
    assert all(key in shown.out for key in found)


def test_a_key_that_is_written_out_as_its_default_makes_no_difference(townlet: Townlet, tmp_path: Path) -> None:
    shorter = edited(tmp_path, "  patience_ticks: 90\n", "")
    assert load_config(shorter) == load_config(TOWN)
    outcome = townlet("config", "diff", TOWN, shorter)
    assert (outcome.code, outcome.out.strip()) == (0, "the same town")
    document = json.loads(townlet("config", "diff", TOWN, shorter, "--json").out)
    assert document == {"same": True, "differences": []}


def test_what_looks_like_a_style_is_shown_as_it_stands(townlet: Townlet, tmp_path: Path) -> None:
    bold = edited(tmp_path, "config_id: default-hybrid-1", 'config_id: "[b]bold[/b]-hybrid-1"')
    assert '"[b]bold[/b]-hybrid-1"' in townlet("config", "diff", TOWN, bold).out


@pytest.mark.parametrize("words", [("diff", TOWN, "low_mony"), ("explain", "agents", "--scenario", "low_mony")])
def test_a_town_that_is_not_there_is_refused(townlet: Townlet, words: tuple[object, ...]) -> None:
    outcome = townlet("config", *words)
    assert outcome.code == 2
    assert "did you mean 'low_money'?" in outcome.err


def test_a_town_and_a_scenario_at_once_are_refused(townlet: Townlet) -> None:
    outcome = townlet("config", "explain", "agents", "--config", TOWN, "--scenario", "low_money")
    assert outcome.code == 2
    assert "give one of them" in outcome.err


def test_schemas_are_printed_and_written_for_editors(townlet: Townlet, tmp_path: Path) -> None:
    printed = townlet("config", "schema", "gates")
    assert printed.out == (ROOT / "configs" / "schemas" / "gates.schema.json").read_text()
    written = townlet("config", "schema", "--write", tmp_path).out.split()
    assert sorted(written) == sorted(map(str, tmp_path.iterdir()))
    assert len(written) == len(SCHEMA_KINDS)
    outcome = townlet("config", "schema", "twon")
    assert (outcome.code, outcome.err.strip()) == (2, "unknown kind of file 'twon'; did you mean 'town'?")


def test_an_earlier_file_is_translated_and_every_key_told(townlet: Townlet, tmp_path: Path) -> None:
    old, new = ROOT / "tests" / "core" / "config" / "earlier" / "town.yaml", tmp_path / "hamlet.yaml"
    dry = townlet("config", "migrate", old)
    assert dry.out.startswith("# yaml-language-server: $schema=../schemas/town.schema.json\n# migrated_from: town.yaml")
    assert f"{old}:2: seed: no meaning here: " in dry.err
    written = townlet("config", "migrate", old, "--output", new)
    assert (written.code, written.err) == (0, "")
    assert f"{new}: town file; keys: " in written.out
    assert townlet("validate", "config", new).code == 0
    keys = json.loads(townlet("config", "migrate", old, "--json").out)["keys"]
    assert any({"key": "seed", "fate": "no meaning here"}.items() <= told.items() for told in keys)
