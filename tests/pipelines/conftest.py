"""One small release, made once, of which every test gets a copy to spoil."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest

from assets.line import Line
from pipelines.definitions import build_defs
from pipelines.headless import FinishedRun, StepEnd, Watch, run_job
from tests.small_house import small_configs

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
