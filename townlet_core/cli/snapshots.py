"""`townlet snapshot`: look at saved towns, check them, and bring older ones up to date."""

from pathlib import Path
from typing import Annotated

import typer

from townlet_core.cli.options import CONFIGS, DATA, AsJson, Configs, Data
from townlet_core.cli.output import print_facts, print_json
from townlet_core.config import SnapshotRules, load_config, load_snapshot_rules
from townlet_core.snapshots import allowed_folders, inspect, load, migrate, require_inside

app = typer.Typer(
    help="Saved towns: what a file holds, whether it can go on, and how to bring an older one up to date.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(help="The snapshot.", show_default=False)]
Output = Annotated[Path, typer.Option(help="The file to write; the old one stays as it is.", show_default=False)]
Town = Annotated[Path | None, typer.Option("--config", help="A town's YAML file that the saved towns should live by.")]


@app.command("inspect", epilog="Example: townlet snapshot inspect data/snapshots/<run>-000001440.safetensors")
def inspect_snapshot(file: File, as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA) -> None:
    """Tell what a snapshot says of itself: whose towns, at which tick, by which rules, and how large."""
    require_inside(file, allowed_folders(snapshot_rules(configs), data))
    report = inspect(file)
    if as_json:
        print_json(report)
        return
    identity = report["identity"]
    facts = {"schema_version": report["schema_version"], **identity, "same engine": report["same_engine"]}
    facts["migrations"] = ", ".join(report["migrations"]) or "none"
    facts["bytes"] = sum(array["bytes"] for array in report["arrays"].values())
    print_facts(str(file), facts)


@app.command("validate", epilog="Example: townlet snapshot validate data/snapshots/<run>-000001440.safetensors")
def validate_snapshot(
    file: File, town: Town = None, as_json: AsJson = False, configs: Configs = CONFIGS, data: Data = DATA
) -> None:
    """Load a snapshot for a trial; the first thing that stands in the way is named (exit code 2)."""
    rules = snapshot_rules(configs)
    require_inside(file, allowed_folders(rules, data))
    restored = load(file, load_config(town) if town else None, rules.guardrails)
    facts = {"towns": restored.identity.towns, "agents": restored.identity.agents, "tick": restored.identity.tick}
    if as_json:
        print_json({"ok": True, "path": str(file), **facts, "migrations": list(restored.migrations)})
    else:
        print_facts(f"{file}: a sound snapshot", facts)


MIGRATE = "Example: townlet snapshot migrate data/snapshots/old.safetensors --output data/snapshots/new.safetensors"


@app.command("migrate", epilog=MIGRATE)
def migrate_snapshot(
    file: File,
    output: Output,
    town: Town = None,
    as_json: AsJson = False,
    configs: Configs = CONFIGS,
    data: Data = DATA,
) -> None:
    """Write a snapshot of today's schema from an older one; with --config its towns go on by that configuration."""
    folders = allowed_folders(snapshot_rules(configs), data)
    require_inside(file, folders)
    require_inside(output, folders)
    steps = migrate(file, output, load_config(town) if town else None)
    if as_json:
        print_json({"ok": True, "path": str(output), "migrations": list(steps)})
    else:
        print_facts(f"{output}: up to date", {"migrations": ", ".join(steps) or "none needed"})


def snapshot_rules(configs: Path) -> SnapshotRules:
    """Load the rules for snapshots of a configuration folder; a folder without them has the ordinary ones.

    Raises:
        ConfigError: Something in the file is wrong.
    """
    path = configs / "snapshots.yaml"
    return load_snapshot_rules(path) if path.exists() else SnapshotRules()
