"""A line with one captured and curated day of two small scenarios, of which every test gets a copy to spoil."""

import os
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from assets.capture import capture_asset
from assets.curation import curated_asset
from assets.line import Line
from tests.small_house import edit, small_configs

DAY = "2026-11-01"
SCENARIOS = ["low_money", "ordinary_day"]


def run(line: Line, *assets: Any, day: str | None = DAY) -> dg.ExecuteInProcessResult:
    """Materialise assets in this process, each with the checks in its own step."""
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            list(assets), resources={"line": line}, partition_key=day, instance=instance, raise_on_error=False
        )


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check passed, by name."""
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


@pytest.fixture(scope="session")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Line:
    root = tmp_path_factory.mktemp("captured")
    small_configs(root / "configs")
    for path in (root / "configs/scenarios").iterdir():
        if path.stem not in SCENARIOS:
            path.unlink()
    plan = yaml.safe_load((root / "configs/gates.yaml").read_text())
    edit(root / "configs/gates.yaml", comparison={**plan["comparison"], "scenarios": SCENARIOS})
    line = Line(data=str(root / "data"), configs=str(root / "configs"))
    for scenario in SCENARIOS:
        assert run(line, capture_asset(scenario)).success
        assert run(line, curated_asset(scenario)).success
    return line


@pytest.fixture
def line(captured: Line, tmp_path: Path) -> Line:
    shutil.copytree(captured.data, tmp_path / "data", copy_function=os.link)
    shutil.copytree(captured.configs, tmp_path / "configs")
    return Line(data=str(tmp_path / "data"), configs=str(tmp_path / "configs"))
