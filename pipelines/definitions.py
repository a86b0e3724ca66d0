"""The definitions that Dagster loads: one function makes them for the web interface, the command line and the tests."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from assets.line import Line, line_from_environment
from assets.stages import line_assets, line_checks
from pipelines.jobs import JOBS
from pipelines.schedules import SCHEDULES
from townlet_core.config import captured_scenarios
from townlet_core.errors import ConfigError


def build_defs(line: Line | None = None, resources: Mapping[str, object] | None = None) -> dg.Definitions:
    """The whole line over one configuration folder and one data folder.

    Args:
        line: where the line reads and writes; from the environment (`TOWNLET_CONFIGS`, `TOWNLET_DATA`) by default.
        resources: replaces or adds resources by name, for tests and other deployments.

    Returns:
        Definitions with one capture and one curation asset per captured scenario; in-process execution by default.

    Raises:
        ConfigError: the configuration folder has no scenario that is captured.
    """
    line = line or line_from_environment()
    scenarios = captured_scenarios(Path(line.configs))
    if not scenarios:
        raise ConfigError(
            f"{line.configs}/scenarios: no scenario with a 'capture' section; TOWNLET_CONFIGS names the folder above it"
        )
    return dg.Definitions(
        assets=line_assets(scenarios),
        asset_checks=line_checks(),
        jobs=JOBS,
        schedules=SCHEDULES,
        resources={"line": line, **(resources or {})},
        executor=dg.in_process_executor,
    )


defs = build_defs()
