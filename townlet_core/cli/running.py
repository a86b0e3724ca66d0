"""Runs an application of commands and turns what went wrong into one line and an exit code."""

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from townlet_core.errors import TownletError

EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, failed, or a difference found; 2 something that was handed in is wrong; "
    "130 interrupted."
)
"""The promise that every verb keeps; shown at the foot of `townlet --help`."""


def run(app: typer.Typer) -> None:
    """Run a command line and leave the process with its exit code.

    An error that Townlet raises on purpose becomes one line on stderr, without a traceback; so do words that the
    command line does not know, and an error of the operating system, such as a full disk. Anything else is a defect
    and keeps its traceback.

    Args:
        app: The application with its verbs.

    Raises:
        SystemExit: Always.
    """
    try:
        code = app(prog_name="townlet", standalone_mode=False)
    except TyperException as error:
        if not error.format_message():  # no word at all: the help has been shown
            raise SystemExit(error.exit_code) from error
        _fail(_wrong_words(error), error.exit_code)
    except typer.Abort:
        _fail("aborted", 1)
    except TownletError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(f"{error.filename or 'townlet'}: {error.strerror or error}", 1)
    raise SystemExit(code)


PLAIN = {
    "Invalid value for ": "",
    "Input should be a valid integer, unable to parse string as an integer": "expected a whole number",
    "Input should be a valid number, unable to parse string as a number": "expected a number",
    "Input should be greater than or equal to": "expected at least",
    "Input should be less than or equal to": "expected at most",
    "No such": "no such",
    "Got unexpected extra argument(s)": "no further words are expected:",
    "Missing": "missing",
}
"""What the parser of the command line says, and the same as Townlet says it."""


def _wrong_words(error: TyperException) -> str:
    """Say in one line which word was wrong, and whose help tells what would be right."""
    told = error.format_message()
    for said, plain in PLAIN.items():
        told = told.replace(said, plain)
    context = getattr(error, "ctx", None)
    verb = context.command_path if context is not None else "townlet"
    return f"{verb}: {told.rstrip('.')}; see {verb} --help"


def _fail(text: str, code: int) -> NoReturn:
    print(" ".join(text.split("\n")), file=sys.stderr)
    raise SystemExit(code)
