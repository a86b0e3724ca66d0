"""`townlet validate`: check a configuration file before anything runs on it."""

from pathlib import Path
from typing import Annotated

import typer

from townlet_core.cli import hooks
from townlet_core.cli.checking import validate_scenarios
from townlet_core.cli.options import AsJson
from townlet_core.cli.output import print_facts, print_json
from townlet_core.config import CheckReport, check_affordances, check_config, check_map

app = typer.Typer(
    help="Check a configuration file; the first fault is named with file, line, key and remedy (exit code 2).",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(help="The YAML file.", show_default=False)]


@app.command("config", epilog="Example: townlet validate config configs/towns/default.yaml")
def validate_config(file: File, as_json: AsJson = False) -> None:
    """Check a town, a scenario, a training profile, curation rules, a map or a manifest, with every file it names."""
    _report(check_config(file), as_json)


@app.command("affordances", epilog="Example: townlet validate affordances configs/affordances/core.yaml --strict")
def validate_affordances(
    file: File,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check an affordance manifest: objects, options, effects, prices and stock."""
    _report(check_affordances(file, strict), as_json)


@app.command("map", epilog="Example: townlet validate map configs/maps/default.yaml")
def validate_map(file: File, as_json: AsJson = False) -> None:
    """Check a map: its picture, its legend, and that every home and object can be reached."""
    _report(check_map(file), as_json)


@app.command("hooks", epilog="Example: townlet validate hooks configs/towns/default.yaml")
def validate_hooks(file: File, as_json: AsJson = False) -> None:
    """Import the Python hooks that a town or scenario allows, and say which of those it names cannot be called."""
    hooks.validate_hooks(file, as_json)


app.command("scenarios", epilog="Example: townlet validate scenarios --run")(validate_scenarios)


def _report(report: CheckReport, as_json: bool) -> None:
    if as_json:
        print_json({"ok": True, **report._asdict()})
        return
    print_facts(f"{report.path}: a sound {report.kind}", report.facts)
    for warning in report.warnings:
        typer.echo(f"warning: {warning}", err=True)
