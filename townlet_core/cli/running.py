"""Runs an application of commands and turns what went wrong into one line and an exit code."""

import sys

import typer

from townlet_core.errors import TownletError

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, failed, or a difference found; 2 something that was handed in is wrong; "
    "130 interrupted."
)
"""The promise that every verb keeps; shown at the foot of `townlet --help`."""


def run(app: typer.Typer) -> None:
    """Run a command line and leave the process with its exit code.

    An error that Townlet raises on purpose becomes one line on stderr, without a traceback; so does an error of the
    operating system, such as a full disk. Anything else is a defect and keeps its traceback.

    Args:
        app: The application with its verbs.

    Raises:
        SystemExit: Always.
    """
    try:
        app()
    except TownletError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(f"{error.filename or 'townlet'}: {error.strerror or error}", 1)


def _fail(line: str, code: int) -> None:
    print(" ".join(line.split("\n")), file=sys.stderr)
    raise SystemExit(code)
