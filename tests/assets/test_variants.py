"""The comparison of variants in Dagster: what it is shown, what it finds again, and that it can refuse."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

import townlet_core.release.variants
from assets.line import Line
from assets.variants import variant_comparison
from tests.assets.conftest import run, verdicts
from tests.small_house import edit
from townlet_core.config import load_scenario
from townlet_core.release.variants import STAGE, seen_as


@pytest.fixture(scope="module")
def compared(captured: Line) -> dg.ExecuteInProcessResult:
    """A comparison of the smallest kind, made once."""
    return run(captured, variant_comparison, day=None)


def loosely(line: Line, share: float) -> None:
    variants = yaml.safe_load((Path(line.configs) / "rehearsal.yaml").read_text())["variants"]
    bands = {"attendance": {"share": share, "of": 1.0}}
    edit(Path(line.configs) / "rehearsal.yaml", variants={**variants, "bands": bands})


def test_variants_are_shown_the_same_teacher_and_every_life_is_kept(
    compared: dg.ExecuteInProcessResult, captured: Line
) -> None:
    assert verdicts(compared)["shown_the_same"]
    assert verdicts(compared)["everything_measured"]
    record = captured.workshop.latest(STAGE)
    schooling = record["comparison"]["schooling"]
    assert schooling["hybrid"]["decisions"] == schooling["full"]["decisions"] > 0
    (materialised,) = compared.asset_materializations_for_node("variant_comparison")
    rules = yaml.safe_load((Path(captured.configs) / "rehearsal.yaml").read_text())["variants"]
    lives = 2 * rules["trainings"] * len(rules["scenarios"]) * rules["towns"]
    assert materialised.metadata["dagster/row_count"].value == lives
    assert all(column.description for column in materialised.metadata["dagster/column_schema"].value.columns)


def test_clones_of_a_handful_of_towns_are_not_called_alike(compared: dg.ExecuteInProcessResult) -> None:
    """Four towns and one hasty training cannot show that figures lie within a tenth, and so the run fails."""
    assert verdicts(compared)["within_bands"] is False
    assert not compared.success


def test_the_verdict_follows_the_bands_and_the_same_plan_is_found_again(
    compared: dg.ExecuteInProcessResult, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    loosely(line, 1.0)
    assert run(line, variant_comparison, day=None).success
    monkeypatch.setattr(townlet_core.release.variants, "_built", lambda *_: pytest.fail("it was compared again"))
    again = run(line, variant_comparison, day=None)
    assert again.success
    (materialised,) = again.asset_materializations_for_node("variant_comparison")
    assert materialised.metadata["reused"].value is True


def test_another_teacher_for_one_variant_is_noticed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    loosely(line, 1.0)
    real, seen = townlet_core.release.variants.capture, []

    def other_days(scenario: Any, date: str, *rest: Any, **options: Any) -> Any:
        seen.append(scenario.config.observations.variant)
        return real(scenario, date if seen[-1] == "hybrid" else "2026-11-02", *rest, **options)

    monkeypatch.setattr(townlet_core.release.variants, "capture", other_days)
    result = run(line, variant_comparison, day=None)
    assert set(seen) == {"hybrid", "full"}
    assert verdicts(result)["shown_the_same"] is False
    assert not result.success


def test_a_scenario_seen_otherwise_is_the_same_in_everything_else(captured: Line) -> None:
    scenario = load_scenario("low_money", Path(captured.configs))
    full = seen_as(scenario, "full")
    assert (full.config.observations.variant, full.config.config_id) == ("full", "default-full-1")
    bodies = [json.loads(one.config.model_dump_json()) for one in (scenario, full)]
    for body in bodies:
        del body["observations"]["variant"], body["config_id"]
    assert bodies[0] == bodies[1]
    assert seen_as(full, "hybrid").config == scenario.config
