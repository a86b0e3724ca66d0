"""The options that several verbs share, so that one name means the same everywhere."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from townlet_core.errors import InputError

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


def is_given(context: typer.Context, name: str) -> bool:
    """Say whether a parameter stands on the command line, rather than having its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def refuse_unused(context: typer.Context, names: Iterable[str], remedy: str) -> None:
    """Refuse parameters that nothing would read.

    Args:
        context: Tells what stands on the command line.
        names: The parameters, as the verb's function calls them.
        remedy: Why nothing reads them, and what to do.

    Raises:
        InputError: One of them is given.
    """
    written = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for name in names:
        if is_given(context, name):
            raise InputError(f"{written[name]}: {remedy}")
