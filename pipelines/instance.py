"""The Dagster instance of this house: the one that `DAGSTER_HOME` names, or the one beside the data."""

import os
from pathlib import Path

import dagster as dg

from townlet_core.errors import InputError

SETTINGS = "dagster.yaml"
QUIET = "# Nothing is sent anywhere.\ntelemetry:\n  enabled: false\n"


def dagster_home(data: Path) -> Path:
    """The folder of the instance: `DAGSTER_HOME`, by default `dagster` in the data folder, as an absolute path."""
    return Path(os.environ.get("DAGSTER_HOME") or data / "dagster").resolve()


def open_instance(data: Path) -> dg.DagsterInstance:
    """Open the persistent instance, making its folder on first use.

    Args:
        data: the data folder, for where the instance is when `DAGSTER_HOME` does not say.

    Returns:
        An instance to be used as a context manager.

    Raises:
        InputError: the folder cannot be made or its settings cannot be read.
    """
    home = dagster_home(data)
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / SETTINGS).exists():
            (home / SETTINGS).write_text(QUIET)
        os.environ["DAGSTER_HOME"] = str(home)
        return dg.DagsterInstance.from_config(str(home))
    except (OSError, dg.DagsterInvariantViolationError, dg.DagsterInvalidConfigError) as error:
        raise InputError(f"{home}: cannot be used as DAGSTER_HOME: {str(error).splitlines()[0]}") from error
