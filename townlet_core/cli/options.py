"""The options that several verbs share, so that one name means the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Configs = Annotated[Path, typer.Option(help="Folder of the configuration files.", envvar="TOWNLET_CONFIGS")]
Data = Annotated[Path, typer.Option(help="Folder that runs write to.", envvar="TOWNLET_DATA")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and no progress.")]
Threads = Annotated[int, typer.Option(min=1, max=64, help="Threads of the engine; the result does not depend on it.")]
Scenarios = Annotated[list[str] | None, typer.Argument(help="Names of scenarios; all that are captured by default.")]
Date = Annotated[str, typer.Option(help="Day of the capture, YYYY-MM-DD; with the scenario it decides the seed.")]

CONFIGS = Path("configs")
DATA = Path("data")
FIRST_DATE = "2026-11-01"
"""The day that a line without captures starts with."""
