"""One small release, made once, of which every test gets a copy to spoil."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest
import yaml

from assets.line import Line
from pipelines.definitions import build_defs
from pipelines.headless import FinishedRun, StepEnd, Watch, run_job
from tests.small_house import edit, small_configs
from townlet_core.release.workshop import Workshop, stored_bytes
from townlet_core.stability import Evaluation

DAY = "2026-11-01"


class Prepared(NamedTuple):
    """A line with a release in it, and the run that made it."""

    line: Line
    home: Path
    run: FinishedRun
    told: list[StepEnd]

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(self.line.data)

    @property
    def configs(self) -> Path:
        """The configuration folder."""
        return Path(self.line.configs)

    def materialise(self, *keys: str, checks: bool = True) -> dg.ExecuteInProcessResult:
        """Run some of the line's assets in this process, with or without their checks."""
        definitions = build_defs(self.line)
        assets = [dg.AssetKey(key.split("/")) for key in keys]
        selection = dg.AssetSelection.assets(*assets)
        if not checks:
            selection = selection - dg.AssetSelection.checks_for_assets(*assets)
        job = dg.define_asset_job("some", selection=selection)
        together = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job]))
        with dg.DagsterInstance.ephemeral() as instance:
            return together.resolve_job_def("some").execute_in_process(instance=instance, raise_on_error=False)


def republish(workshop: Workshop, stage: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a stage's record, in a file of its own."""
    record = dict(workshop.latest(stage))
    change(record)
    (workshop.data / f"line/{stage}.json").unlink()
    workshop.publish(stage, record)


def change_evaluation(house: Prepared, change: Callable[[dict[str, Any]], None]) -> None:
    """Put another evaluation on record, whole and consistent, but changed in one respect."""
    workshop = house.line.workshop
    body = json.loads(stored_bytes(workshop.artifacts, workshop.latest("evaluation")["evaluation"]))
    change(body)
    evaluation = Evaluation.model_validate_json(json.dumps(body))
    name = workshop.artifacts.put_bytes(evaluation.to_json(), ".json") + ".json"
    republish(workshop, "evaluation", lambda record: record.update(evaluation=name, digest=evaluation.digest))


def foreign_teacher(house: Prepared) -> None:
    """Everybody was compared with a teacher of other sources."""
    change_evaluation(house, lambda body: body["policies"].update(teacher="0" * 64))


def edited_scenario(house: Prepared) -> None:
    """A scenario is configured otherwise than it was when it was evaluated."""
    path = house.configs / "scenarios/low_money.yaml"
    overrides = yaml.safe_load(path.read_text())["overrides"]
    edit(path, overrides={**overrides, "economy": {**overrides["economy"], "initial_wallet": [1.0, 3.0]}})


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A small release through the headless run, with an instance of its own."""
    root = tmp_path_factory.mktemp("original")
    small_configs(root / "configs")
    line = Line(data=str(root / "data"), configs=str(root / "configs"))
    home = root / "data/dagster"
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    told: list[StepEnd] = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = run_job(build_defs(line), instance, "release", DAY, Watch(lambda n: None, lambda key: None, told.append))
    return Prepared(line, home, run, told)


@pytest.fixture
def prepared(original: Prepared, tmp_path: Path) -> Prepared:
    """A copy of the release, free to be spoilt."""
    assert original.run.success, original.run.problems
    shutil.copytree(original.data, tmp_path / "data", ignore=shutil.ignore_patterns("dagster"), copy_function=os.link)
    shutil.copytree(original.configs, tmp_path / "configs")
    line = Line(data=str(tmp_path / "data"), configs=str(tmp_path / "configs"))
    return original._replace(line=line)
