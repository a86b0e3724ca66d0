"""`townlet telemetry watch` and `summary`: the log of a training, while it is written and afterwards."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from math import isfinite
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer
from upath import UPath

from townlet_core.cli.options import CONFIGS, Configs, refuse_unused
from townlet_core.cli.output import print_facts, print_json, print_json_line, print_table
from townlet_core.config.watch import Watched, WatchRules, load_watch, watch_with
from townlet_core.errors import InputError
from townlet_core.files import write_whole
from townlet_core.policy.logbook.entries import Entry, log_file, read_entries
from townlet_core.policy.logbook.figures import FIGURES
from townlet_core.policy.logbook.following import follow, follow_on
from townlet_core.policy.logbook.pages import (
    COLUMNS,
    COMPARED,
    difference_rows,
    facts,
    markdown_page,
    phase_rows,
    phase_title,
)
from townlet_core.policy.logbook.plots import draw_log
from townlet_core.policy.logbook.summary import Difference, LogSummary, differences, summarise_log
from townlet_core.policy.logbook.watch import Alarm, Watch, silent

WATCH = (
    "Example: townlet telemetry watch data/training/3fa81c --follow --timeout 600 --max kl=0.05. Exit codes: 0 nothing "
    "to tell; 1 an alarm, of a figure, of a training that was stopped, or of one that went silent; 2 a log or option "
    "that is wrong. A signal ends the watch with 0 or 1."
)
SUMMARY = "Example: townlet telemetry summary data/training/3fa81c --format markdown --plot training.png"
ON_THE_LINE: tuple[Watched, ...] = (
    "loss",
    "validation_loss",
    "accuracy",
    "return",
    "reward",
    "kl",
    "entropy",
    "clip",
    "grad",
    "explained_variance",
    "speed",
)
"""The figures that a line of the watch shows."""

Log = Annotated[
    Path, typer.Argument(help="A log (NDJSON or Parquet), or the folder of a training.", show_default=False)
]
Bounds = list[str] | None


class Form(StrEnum):
    """How a summary is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def watch_log(
    context: typer.Context,
    log: Log,
    follow_it: Annotated[bool, typer.Option("--follow", "-f", help="Go on while the training writes.")] = False,
    interval: Annotated[float, typer.Option(min=0.01, max=3600, help="Seconds between two looks.")] = 0.5,
    timeout: Annotated[
        float | None, typer.Option(min=0.01, help="Seconds without a new record after which --follow ends.")
    ] = None,
    rules: Annotated[Path | None, typer.Option(help="File of the bounds.", show_default="configs/watch.yaml")] = None,
    at_most: Annotated[
        Bounds, typer.Option("--max", metavar="FIGURE=VALUE", help="A figure may not exceed it.")
    ] = None,
    at_least: Annotated[Bounds, typer.Option("--min", metavar="FIGURE=VALUE", help="Nor this one fall below.")] = None,
    drop: Annotated[
        Bounds, typer.Option("--drop", metavar="FIGURE=SHARE", help="Nor lie so far below its latest mean.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document per line.")] = False,
    configs: Configs = CONFIGS,
) -> None:
    """Hold the log of a training against bounds: a line for each update, and one for each alarm."""
    if not follow_it:
        refuse_unused(context, ["interval", "timeout"], "says how to follow a log; add --follow")
    options = {"max": _bounds("--max", at_most), "min": _bounds("--min", at_least), "drop": _bounds("--drop", drop)}
    bounds = watch_with(load_watch(rules or configs / "watch.yaml"), options)
    file = log_file(log)
    if follow_it and file.suffix == ".parquet":
        raise InputError(f"{file}: a table appears whole; follow the NDJSON log beside it")
    with _until_a_signal() as stop:
        entries = _followed(log, file, stop, interval, timeout) if follow_it else iter(read_entries(file))
        seen, alarms = _watch(entries, bounds, timeout, as_json)
    if not as_json:
        typer.echo(f"{seen} records watched, {alarms} alarms", err=True)
    if alarms:
        raise typer.Exit(1)


def _followed(log: Path, file: Path, stop: Event, interval: float, timeout: float | None) -> Iterator[Entry | None]:
    """Whoever names the folder of all trainings follows one from its clone on; whoever names a log, that one."""
    if log in (file, file.parent):
        return follow(file, stop, interval, timeout)
    return follow_on(log, file, stop, interval, timeout)


def summarise(
    log: Log,
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TEXT,
    baseline: Annotated[Path | None, typer.Option(help="Another log to compare with, phase by phase.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw the training into this PNG file.")] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Look at so many of the last updates alone.")] = None,
) -> None:
    """Sum up the log of a training: what each phase began, ended and did best with, and what it took."""
    ours = read_entries(log)
    theirs = read_entries(baseline) if baseline is not None else []
    found = summarise_log(ours, last)
    compared = differences(found, summarise_log(theirs, last)) if theirs else None
    if plot is not None:
        write_whole(UPath(plot), draw_log(ours, theirs))
    if form is Form.JSON:
        told = None if compared is None else [one._asdict() for one in compared]
        print_json({"log": str(log_file(log)), **found.to_json(), "baseline": told})
    elif form is Form.MARKDOWN:
        typer.echo(
            markdown_page(f"Training log {log_file(log)}", found, compared, str(plot) if plot else None), nl=False
        )
    else:
        _print_summary(log_file(log), found, compared)


def _print_summary(file: Path, found: LogSummary, compared: list[Difference] | None) -> None:
    print_facts(str(file), facts(found))
    for phase in found.phases:
        print_table(phase_title(phase), COLUMNS, phase_rows(phase))
    if compared is not None:
        print_table("beside the baseline: means by phase", COMPARED, difference_rows(compared))


def _watch(entries: Iterator[Entry | None], rules: WatchRules, timeout: float | None, as_json: bool) -> tuple[int, int]:
    watch, seen, alarms, last = Watch(rules), 0, 0, 0
    for entry in entries:
        found = [silent(last, timeout or 0.0)] if entry is None else watch.judge(entry)
        if entry is not None:
            seen, last = seen + (entry.kind != "end"), entry.epoch
            _tell_entry(entry, as_json)
        for alarm in found:
            _tell_alarm(alarm, as_json)
        alarms += len(found)
    return seen, alarms


def _tell_entry(entry: Entry, as_json: bool) -> None:
    figures = {name: value for name in FIGURES if (value := entry.figure(name)) is not None}
    if entry.kind == "end":
        facts = {key: entry.row[key] for key in ("outcome", "reason", "epoch", "seconds", "then")}
        plain = f"{facts['outcome']} after {entry.epoch}, in {facts['seconds']:,.0f} seconds"
        if facts["then"] is not None:
            plain = f"{plain}; the training goes on ({facts['then']}) in a log of its own"
    else:
        facts = {"epoch": entry.epoch, "of": entry.row["updates"], "figures": figures}
        shown = "  ".join(f"{name} {figures[name]:.4g}" for name in ON_THE_LINE if name in figures)
        plain = f"{entry.kind} {entry.epoch}/{entry.row['updates']}  {shown}"
    _print({"kind": entry.kind, **facts}, plain, as_json)


def _tell_alarm(alarm: Alarm, as_json: bool) -> None:
    _print({"kind": "alarm", **alarm._asdict()}, f"alarm: {alarm.told}", as_json)


def _print(document: dict[str, Any], plain: str, as_json: bool) -> None:
    if as_json:
        print_json_line(document)
    else:
        print(plain, flush=True)


def _bounds(option: str, texts: list[str] | None) -> dict[str, float]:
    found = {}
    for text in texts or ():
        name, _, value = text.partition("=")
        if not _is_number(value):
            raise InputError(f"{option} {text}: expected FIGURE=NUMBER, such as kl=0.05")
        found[name] = float(value)
    return found


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


@contextmanager
def _until_a_signal() -> Iterator[Event]:
    """An event that SIGINT and SIGTERM set instead of breaking the command off."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
