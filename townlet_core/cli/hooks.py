"""Python hooks on the command line: run them when asked, and say how each fared."""

from pathlib import Path
from typing import Annotated, Any

import typer

from townlet_core.cli.output import print_json, print_table
from townlet_core.config import TownConfig
from townlet_core.config.loading import trace_file
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.telemetry.hooks import (
    ENVIRONMENT,
    AffordanceHooks,
    HookReport,
    python_hooks,
    refused_modules,
    report_rows,
)

RunHooks = Annotated[bool, typer.Option("--hooks", help="Import and run the Python hooks that the town allows.")]


def require_own_allow_list(asked: bool, resume: Path | None, named: Path | str | None) -> None:
    """Refuse to run hooks on the word of a snapshot, whose allow-list somebody else may have written.

    Raises:
        InputError: The towns come from a file, and no configuration of one's own is named.
    """
    if asked and resume is not None and named is None:
        raise InputError("--hooks: with --resume also name --config or --scenario, so that the allow-list is yours")


def start_hooks(asked: bool, sim: Simulation) -> AffordanceHooks | None:
    """Import the town's hooks if asked; else say on stderr that there are some."""
    named = python_hooks(sim.config)
    if named and not asked:
        typer.echo(f"note: {len(named)} Python hooks are not run; --hooks runs those that the town allows", err=True)
    return _started(sim.config) if asked else None


def _started(town: TownConfig) -> AffordanceHooks:
    """Import the hooks; modules that only the environment allows are told on stderr where the town forbids that."""
    refused = refused_modules(town.hooks)
    if refused:
        text = f"{ENVIRONMENT} names {', '.join(refused)}, but hooks.allow_env is false; add them to hooks.allow"
        typer.echo(f"note: {text} if you trust them", err=True)
    return AffordanceHooks(town)


def hook_document(hooks: AffordanceHooks | None) -> dict[str, Any]:
    """Say for a script how the hooks fared; nothing where none were asked for."""
    return {} if hooks is None else {"hooks": [report._asdict() for report in hooks.reports]}


def print_hooks(hooks: AffordanceHooks | None) -> None:
    """Print how the hooks fared; nothing where none were asked for."""
    if hooks is not None:
        _print(hooks.reports)


def validate_hooks(file: Path, as_json: bool) -> None:
    """Import what a town or scenario allows and say of every hook whether it could be called; exit 1 if one cannot."""
    reports = _started(trace_file(file).config).reports
    if as_json:
        print_json({"ok": all(report.enabled for report in reports), "hooks": [one._asdict() for one in reports]})
    else:
        _print(reports)
    if not all(report.enabled for report in reports):
        raise typer.Exit(1)


def _print(reports: tuple[HookReport, ...]) -> None:
    title = f"{len(reports)} Python hooks" if reports else "no Python hooks"
    print_table(title, ("hook", "named by", "calls", "raised", "state"), report_rows(reports))
