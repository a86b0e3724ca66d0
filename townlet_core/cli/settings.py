"""`townlet config`: what keys mean and where their values come from, how towns differ, schemas for editors."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.markup import escape

from townlet_core.cli.options import CONFIGS, AsJson, Configs, refuse_unused
from townlet_core.cli.output import print_facts, print_json, print_table
from townlet_core.config.comparison import Difference, differences
from townlet_core.config.explain import unknown_name
from townlet_core.config.legacy.migrating import migrate_config
from townlet_core.config.loading import TracedTown, trace_file, trace_town
from townlet_core.config.schema import SCHEMA_KINDS, schema_json, write_schemas
from townlet_core.config.settings import Setting, explain_key
from townlet_core.config.town import TownConfig
from townlet_core.config.tracing import trace_any
from townlet_core.errors import InputError

app = typer.Typer(help="What the keys of a file mean, and how two files differ.", no_args_is_help=True)

LONGEST = 60
"""Characters of a value that a table shows."""

Key = Annotated[str, typer.Argument(help="A dotted key, such as jobs.clerk.wage_rate.", show_default=False)]
Town = Annotated[
    Path | None,
    typer.Option("--config", help="A town's or a scenario's YAML file.", show_default="configs/towns/default.yaml"),
]
AnyFile = Annotated[
    Path | None,
    typer.Option("--config", help="A YAML file of any kind.", show_default="configs/towns/default.yaml"),
]
ScenarioName = Annotated[str | None, typer.Option("--scenario", help="A scenario's name or file, instead of --config.")]
Side = Annotated[str, typer.Argument(help="A file of any kind, or a scenario's name.", show_default=False)]
Kind = Annotated[str, typer.Argument(help=f"Kind of file: {', '.join(SCHEMA_KINDS)}.")]
Write = Annotated[Path | None, typer.Option("--write", help="Write the schemas of all kinds into this folder.")]
Old = Annotated[Path, typer.Argument(help="A file of the earlier system; it stays as it is.", show_default=False)]
Output = Annotated[Path | None, typer.Option("--output", help="The file to write; it must not exist yet.")]

EXPLAIN = "Example: townlet config explain queues.patience_ticks --config configs/towns/default.yaml"
DIFF = "Example: townlet config diff configs/towns/default.yaml low_money --json"

MIGRATE = "Example: townlet config migrate old.yaml --output configs/towns/old.yaml"
SCHEMA = "Example: townlet config schema town > town.schema.json; townlet config schema --write configs/schemas"


def traced_town(config: Path | None, scenario: str | None, configs: Path) -> TracedTown:
    """Load the town that the options name, or the default one, and keep where everything in it was written.

    Raises:
        InputError: Both a town and a scenario are named, or what is named cannot be used.
    """
    if config is not None and scenario is not None:
        raise InputError("--config and --scenario: give one of them; a scenario names its own town")
    if scenario is not None:
        return trace_town(scenario, configs)
    return trace_file(config or configs / "towns" / "default.yaml")


@app.command("explain", epilog=EXPLAIN)
def explain(
    key: Key, config: AnyFile = None, scenario: ScenarioName = None, as_json: AsJson = False, configs: Configs = CONFIGS
) -> None:
    """Say what a key accepts, its default, what it is for, its value in force, and the line that this comes from."""
    alone = config is not None and scenario is None
    found = trace_any(config) if config is not None and alone else traced_town(config, scenario, configs)
    setting = explain_key(found, key)
    if as_json:
        print_json(setting._asdict())
        return
    print_facts(setting.key, _facts(setting))


@app.command("diff", epilog=DIFF)
def diff(a: Side, b: Side, as_json: AsJson = False, configs: Configs = CONFIGS) -> None:
    """Compare two files of one kind key by key, with all that they leave out filled in; exit code 1 if they differ."""
    one, other = (_side(name, configs) for name in (a, b))
    if type(one) is not type(other):
        raise InputError(f"{a} and {b} are of different kinds; compare two towns, two gate plans, or the like")
    found = differences(one, other)
    if as_json:
        print_json({"same": not found, "differences": [{"key": each.key, **each.sides} for each in found]})
    elif found:
        print_table(f"{len(found)} keys differ", ("key", escape(a), escape(b)), map(_row, found))
    else:
        typer.echo("the same town" if isinstance(one, TownConfig) else "the same")
    raise typer.Exit(1 if found else 0)


def _side(name: str, configs: Path) -> BaseModel:
    """Load one of two files to compare, or the scenario of that name."""
    is_file = name.endswith(".yaml") or "/" in name
    return trace_any(Path(name)).config if is_file else trace_town(name, configs).config


@app.command("schema", epilog=SCHEMA)
def show_schema(context: typer.Context, kind: Kind = "town", write: Write = None) -> None:
    """Print the JSON Schema of one kind of configuration file, or write all of them for editors."""
    if write is not None:
        refuse_unused(context, ["kind"], "--write writes the schemas of all kinds; leave the kind out")
        for file in write_schemas(write):
            typer.echo(file)
        return
    if kind not in SCHEMA_KINDS:
        raise InputError(unknown_name("kind of file", kind, SCHEMA_KINDS))
    typer.echo(schema_json(kind), nl=False)


@app.command("migrate", epilog=MIGRATE)
def migrate(old: Old, output: Output = None, as_json: AsJson = False, configs: Configs = CONFIGS) -> None:
    """Translate a file of an earlier system, and tell of every key what became of it.

    Without --output nothing is written: the new file is printed, as it would stand in its folder, and the report goes
    to stderr.
    """
    made = migrate_config(old, output, configs)
    if as_json:
        report = [{**line._asdict(), "fate": line.fate.value} for line in made.lines]
        print_json(
            {"kind": made.kind, "step": made.step, "output": output and str(output), "text": made.text, "keys": report}
        )
        return
    if output is None:
        typer.echo(made.text, nl=False)
    for line in made.lines:
        typer.echo(line, err=output is None)
    counts = Counter(line.fate.value for line in made.lines)
    summary = ", ".join(f"{count} {fate}" for fate, count in counts.items())
    typer.echo(f"{output or old}: {made.kind} file; keys: {summary}", err=output is None)


def _facts(setting: Setting) -> dict[str, str]:
    section = isinstance(setting.value, dict)
    default = _text(setting.default) if setting.has_default else "none"
    return {
        "accepts": setting.accepts,
        "default": "those of its keys" if section and setting.has_default else default,
        "value": _value(setting),
        "from": setting.written or ("the default; no file writes it" if setting.exists else "nowhere"),
        "about": setting.about,
    }


def _value(setting: Setting) -> str:
    if not setting.exists:
        return "none: the section is empty"
    return ", ".join(setting.value) if isinstance(setting.value, dict) else _text(setting.value)


def _row(found: Difference) -> tuple[str, str, str]:
    one, other = (_text(found.sides[side]) if side in found.sides else "—" for side in ("a", "b"))
    return escape(found.key), escape(one), escape(other)


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
