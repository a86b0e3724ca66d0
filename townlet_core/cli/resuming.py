"""What `townlet simulate` does with snapshots: go on from one, and save new ones while the towns live."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from townlet_core.cli.options import refuse_unused
from townlet_core.cli.snapshots import snapshot_rules
from townlet_core.config import TownConfig
from townlet_core.config.snapshots import MAX_RETAIN, MIN_CADENCE
from townlet_core.core import ENGINE, Simulation
from townlet_core.errors import InputError
from townlet_core.kernels import source_digest
from townlet_core.policy.teacher import Teacher
from townlet_core.snapshots import Autosave, allowed_folders, load, plan_autosave, require_inside

Folder = Annotated[Path | None, typer.Option(help="Save the towns to this folder as they live.", show_default=False)]
Every = Annotated[
    int | None,
    typer.Option(min=MIN_CADENCE, help="Ticks between two saves.", show_default="as configs/snapshots.yaml says"),
]
Keep = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_RETAIN, help="Files to keep.", show_default="as configs/snapshots.yaml says"),
]
Resume = Annotated[Path | None, typer.Option(help="Go on from a snapshot to its episode's end.", show_default=False)]

DECIDED = ("towns", "seed", "days")
"""Options that a snapshot has already decided."""
NO_STEPS: tuple[str, ...] = ()
"""Migrations of towns that come from no file."""


class Saving(NamedTuple):
    """What the options say about saving: where, how often, how many, what to go on from, and where the rules are."""

    autosave: Path | None
    every: int | None
    keep: int | None
    resume: Path | None
    configs: Path
    data: Path


def resumed(
    context: typer.Context, saving: Saving, config: Callable[[int], TownConfig] | None, threads: int
) -> tuple[Simulation, tuple[str, ...]]:
    """Load the towns that a run goes on from, with the migrations that their file has gone through.

    Args:
        context: Tells which options were given.
        saving: Where the snapshot is.
        config: The town that the options name, given the days of the snapshot's episode; None when they name none.
        threads: Threads of the engine.

    Raises:
        InputError: An option contradicts the snapshot, or the snapshot cannot be used.
    """
    path, rules = saving.resume or Path(), snapshot_rules(saving.configs)
    refuse_unused(context, DECIDED, f"{path} has its own; leave the option out")
    require_inside(path, allowed_folders(rules, saving.data))
    restored = load(path, None, rules.guardrails, threads=threads)
    if config is not None:
        wanted = config(restored.sim.config.clock.episode_days)
        restored = load(path, wanted, rules.guardrails, threads=threads)
    if restored.identity.engine != source_digest(*ENGINE):
        typer.echo(f"warning: {path} was saved by other rules of the engine; the towns go on by today's", err=True)
    return restored.sim, restored.migrations


def planned(saving: Saving, migrations: tuple[str, ...]) -> Autosave | None:
    """Plan the saving that the options and `configs/snapshots.yaml` ask for, or None.

    Raises:
        InputError: `--every` or `--keep` without `--autosave`, no cadence anywhere, or a folder out of bounds.
    """
    if saving.autosave is None:
        for name in ("every", "keep"):
            if getattr(saving, name) is not None:
                raise InputError(f"--{name}: says how to save, but nothing is saved; add --autosave DIR")
        return None
    rules = snapshot_rules(saving.configs)
    require_inside(saving.autosave, allowed_folders(rules, saving.data))
    every = saving.every or rules.autosave.cadence_ticks
    if every is None:
        raise InputError("--autosave: how often? give --every N, or autosave.cadence_ticks in configs/snapshots.yaml")
    keep = saving.keep or rules.autosave.retain
    return plan_autosave(saving.autosave, every, keep, Teacher.actor(), migrations)
