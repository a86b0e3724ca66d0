"""What verbs print: tables for a person, one JSON document for a script."""

import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from townlet_core.telemetry import Interval

Advance = Callable[[int, int], None]
"""Called with how much is done and how much there is in all."""

Described = Callable[[int, int, str], None]
"""Called with how much is done, how much there is in this stage, and what is going on."""


def print_json(document: Any) -> None:
    """Print one JSON document on stdout; numbers that JSON lacks become null."""
    print(json.dumps(_finite(document), indent=2, allow_nan=False))


def print_json_line(document: Any) -> None:
    """Print one JSON document as one line on stdout, at once; numbers that JSON lacks become null."""
    print(json.dumps(_finite(document), allow_nan=False), flush=True)


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table on stdout; all columns but the first are right-aligned."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def interval_text(interval: Interval) -> str:
    """Write the bounds of an interval; a single value has none."""
    return f"{interval.low:.3f} … {interval.high:.3f}" if math.isfinite(interval.low) else "–"


def counted(number: int, thing: str) -> str:
    """Write a number of things: `1 town`, `2 towns`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def print_facts(title: str, facts: Mapping[str, object]) -> None:
    """Print names and values below a title on stdout, one to a line."""
    width = max(map(len, facts), default=0)
    print(title, *(f"  {name:<{width}}  {value}" for name, value in facts.items()), sep="\n")


@contextmanager
def progress_bar(title: str, *, quiet: bool) -> Iterator[Advance]:
    """Show a bar on stderr while something long runs; silent if asked, or where nobody looks.

    Args:
        title: What is running.
        quiet: Show nothing.

    Yields:
        A function to call with the work done and the work in all.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    disable = quiet or not sys.stderr.isatty()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=disable) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def described_bar(title: str, *, quiet: bool) -> Iterator[Described]:
    """As `progress_bar`, for work in stages: each call also says what is going on, beside the title."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    disable = quiet or not sys.stderr.isatty()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=disable) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total, text: bar.update(task, completed=done, total=total, description=f"{title}, {text}")


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
