"""What is shipped loads, stands alone, and is identified by its content."""

import json
import re
from pathlib import Path

import pytest

from townlet_core.config import (
    TownConfig,
    canonical_json,
    captured_scenarios,
    check_affordances,
    check_config,
    check_map,
    config_digest,
    day_slack,
    digest,
    embedded_config,
    load_config,
    load_curation,
    load_scenario,
    load_training,
    scenario_names,
    schema_json,
)
from townlet_core.config.reading import schema_of

SHIPPED = Path(__file__).parents[3] / "configs"
TOWN = SHIPPED / "towns" / "default.yaml"
LEARNED = ["dear_day", "late_morning", "low_money", "one_shower", "ordinary_day", "stove_outage"]


def test_the_default_town_holds_its_map_and_its_affordances() -> None:
    town = load_config(TOWN)
    assert town.agents == 8
    assert town.map.map_id == "default"
    assert town.map.legend["b"].object == "bed"
    assert town.affordances.affordances["eat_meal"].option == "eat_home"
    assert sum(job.openings for job in town.jobs.values()) >= town.agents


def test_a_town_travels_as_json_without_its_files() -> None:
    town = load_config(TOWN)
    assert TownConfig.model_validate_json(town.model_dump_json()) == town
    assert embedded_config(town.model_dump_json(), "shard") == town


def test_a_town_that_leaves_its_defaults_out_comes_back_in_the_same_order() -> None:
    """Kernels know prices, jobs and affordances by their place in the configuration; travelling must not move them."""
    for path in sorted((SHIPPED / "towns").glob("*.yaml")):
        bare = load_config(path)
        again = embedded_config(canonical_json(bare), "snapshot")
        assert again == bare
        for part in ("prices", "restock_cost", "spoilage"):
            assert list(getattr(again.economy, part)) == list(getattr(bare.economy, part)), (path, part)
        assert list(again.jobs) == list(bare.jobs)
        assert list(again.perturbations.events) == list(bare.perturbations.events)
        assert list(again.affordances.affordances) == list(bare.affordances.affordances)


def test_the_resolved_town_is_a_town_file_too(tmp_path: Path) -> None:
    town = load_config(TOWN)
    resolved = tmp_path / "resolved.json"
    resolved.write_bytes(canonical_json(town))
    assert load_config(resolved) == town


@pytest.mark.parametrize("name", LEARNED)
def test_every_shipped_scenario_loads(name: str) -> None:
    scenario = load_scenario(name, SHIPPED)
    assert scenario.name == name
    assert scenario.capture is not None
    assert scenario.capture.days == 1
    assert check_config(SHIPPED / "scenarios" / f"{name}.yaml").kind == "scenario"


def test_scenarios_are_found_by_name_and_those_with_a_capture_belong_to_the_line() -> None:
    assert captured_scenarios(SHIPPED) == LEARNED
    assert set(LEARNED) < set(scenario_names(SHIPPED))


def test_a_scenario_that_cannot_be_read_belongs_to_the_line_so_that_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "odd.yaml").write_text("scenario: [odd")
    assert captured_scenarios(tmp_path) == ["odd"]


def test_an_override_replaces_its_key_and_leaves_the_section() -> None:
    default, poor = load_config(TOWN), load_scenario("low_money", SHIPPED).config
    assert poor.economy.initial_wallet != default.economy.initial_wallet
    assert poor.economy.prices == default.economy.prices
    assert poor.jobs == default.jobs


def test_overrides_by_hand_merge_the_same_way() -> None:
    town = load_config(TOWN, {"economy": {"rent_per_day": 1.0}, "agents": 4})
    assert (town.economy.rent_per_day, town.agents) == (1.0, 4)
    assert town.economy.treasury == load_config(TOWN).economy.treasury


def test_a_scenario_may_bring_its_own_map() -> None:
    assert load_scenario("one_shower", SHIPPED).config.map.map_id == "one_shower"


def test_the_ordinary_day_is_the_default_town() -> None:
    assert config_digest(load_scenario("ordinary_day", SHIPPED).config) == config_digest(load_config(TOWN))


def test_the_digest_knows_content_not_spelling(tmp_path: Path) -> None:
    text = TOWN.read_text().replace("../", f"{SHIPPED}/")
    reordered = "agents: 0x8\n" + text.replace("agents: 8\n", "# moved up\n")
    other = tmp_path / "other.yaml"
    other.write_text(reordered)
    assert config_digest(load_config(other)) == config_digest(load_config(TOWN))
    other.write_text(reordered.replace("0x8", "7"))
    assert config_digest(load_config(other)) != config_digest(load_config(TOWN))


def test_canonical_json_is_one_text_per_value() -> None:
    assert canonical_json({"b": (1, 2), "a": "é"}) == '{"a":"é","b":[1,2]}'.encode()
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_rules_and_profiles_load() -> None:
    assert load_curation(SHIPPED / "curation.yaml").min_distinct_actions == 5
    assert load_training(SHIPPED / "training" / "quick.yaml").profile == "quick"


def test_the_checks_report_what_they_saw() -> None:
    plan = check_map(SHIPPED / "maps" / "one_shower.yaml")
    assert plan.facts["homes"] == "4"
    assert "1 shower" in plan.facts["objects"]
    manifest = check_affordances(SHIPPED / "affordances" / "core.yaml", strict=True)
    assert "eat_home" in manifest.facts["options served"]


@pytest.mark.parametrize("path", sorted(SHIPPED.rglob("*.yaml")), ids=lambda path: str(path.relative_to(SHIPPED)))
def test_every_shipped_file_passes_the_check_of_its_kind(path: Path) -> None:
    report = check_config(path)
    assert report.warnings == ()
    assert all(report.facts.values())


def test_the_poorest_job_of_the_default_town_leaves_a_tenth_to_spare() -> None:
    assert day_slack(load_config(TOWN)) >= 0.1


def test_the_published_schema_describes_the_shipped_town() -> None:
    schema = json.loads(schema_json())
    assert schema["properties"]["map"]["anyOf"][0]["type"] == "string"
    assert set(schema["properties"]) == set(TownConfig.model_fields)
    keys = re.findall(r"^(\w+):", TOWN.read_text(), re.MULTILINE)
    assert set(keys) == set(schema["properties"])


def test_publishing_the_schema_leaves_the_validating_one_alone() -> None:
    before = json.dumps(schema_of(TownConfig))
    schema_json()
    assert json.dumps(schema_of(TownConfig)) == before


def test_a_stage_that_is_off_needs_no_quotes(tmp_path: Path) -> None:
    town = TOWN.read_text().replace("relationships: B, social_rewards: C1", "relationships: OFF, social_rewards: OFF")
    town = town.replace("../", f"{TOWN.parent.parent}/")
    (tmp_path / "town.yaml").write_text(town)
    stages = load_config(tmp_path / "town.yaml").stages
    assert (stages.relationships, stages.social_rewards) == ("OFF", "OFF")
