"""Commands about saved towns, inside the folders that snapshots must stay in."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT
from townlet_core.console.catalogue import Spec
from townlet_core.console.desk import Desk
from townlet_core.console.envelope import CommandError
from townlet_core.errors import InputError
from townlet_core.snapshots import inspect, load, migrate, require_inside, save


class File(BaseModel):
    """A snapshot: a path, or the name of a file below the root of the snapshots."""

    model_config = STRICT
    path: str = Field(min_length=1, max_length=4096)


class TwoFiles(BaseModel):
    """A snapshot, and the file to write."""

    model_config = STRICT
    path: str = Field(min_length=1, max_length=4096)
    output: str = Field(min_length=1, max_length=4096)


def snapshot_inspect(desk: Desk, args: File) -> dict[str, Any]:
    """Tell what a snapshot says of itself."""
    return inspect(_existing(desk, args.path))


def snapshot_validate(desk: Desk, args: File) -> dict[str, Any]:
    """Load a snapshot for a trial."""
    path = _existing(desk, args.path)
    try:
        restored = load(path, None, desk.shelf.guardrails)
    except InputError as error:
        raise CommandError("conflict", str(error)) from error
    return {"path": str(path), "tick": restored.identity.tick, "config_id": restored.identity.config_id}


def snapshot_save(desk: Desk, args: File) -> dict[str, Any]:
    """Save the towns as they are."""
    path = _inside(desk, args.path)
    if path.exists():
        raise CommandError("conflict", f"{path}: exists already; name another file")
    save(desk.sim, path, desk.actor)
    return {"path": str(path), "tick": desk.sim.tick}


def snapshot_migrate(desk: Desk, args: TwoFiles) -> dict[str, Any]:
    """Write a snapshot of today's schema from an older one."""
    steps = migrate(_existing(desk, args.path), _inside(desk, args.output))
    return {"path": args.output, "migrations": list(steps)}


def _inside(desk: Desk, name: str) -> Path:
    """Find a file; a bare name lies below the root. Raises CommandError (forbidden) for a way out of the folders."""
    path = Path(name) if Path(name).is_absolute() else desk.shelf.folders[0] / name
    try:
        require_inside(path, desk.shelf.folders)
    except InputError as error:
        raise CommandError("forbidden", str(error)) from error
    return path


def _existing(desk: Desk, name: str) -> Path:
    path = _inside(desk, name)
    if not path.is_file():
        raise CommandError("not_found", f"{path}: no such file")
    return path


SAVED = (
    Spec("snapshot_inspect", "viewer", "what a snapshot says of itself", File, snapshot_inspect),
    Spec("snapshot_validate", "viewer", "load a snapshot for a trial", File, snapshot_validate),
    Spec("snapshot_save", "admin", "save the towns as they are", File, snapshot_save),
    Spec(
        "snapshot_migrate", "admin", "write a snapshot of today's schema from an older one", TwoFiles, snapshot_migrate
    ),
)
"""Commands about saved towns."""
