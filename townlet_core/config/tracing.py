"""Loads a configuration file of any kind and keeps where everything in it was written."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from townlet_core.config.console import load_console
from townlet_core.config.demo import DemoFile
from townlet_core.config.documents import Document, read_document
from townlet_core.config.gates import load_gates
from townlet_core.config.loading import (
    TracedTown,
    load_affordances,
    load_curation,
    load_map,
    load_snapshot_rules,
    load_training,
    read_config,
    trace_file,
)
from townlet_core.config.reading import read_model
from townlet_core.config.rehearsal import load_rehearsal
from townlet_core.config.telemetry import load_telemetry
from townlet_core.config.watch import load_watch


class Traced(NamedTuple):
    """A checked file and where everything in it was written; what has no place of its own has its default."""

    config: BaseModel
    document: Document


def trace_any(path: Path) -> Traced | TracedTown:
    """Load a file of any kind, which is told by its keys; of a scenario it is the town that comes out.

    Raises:
        ConfigError: It is of no known kind, or something in it is wrong.
    """
    document = read_config(path)
    if "scenario" in document.data or "config_id" in document.data:
        return trace_file(path)
    for key, load in LOADERS.items():
        if key in document.data:
            return Traced(load(path), document)
    known = ", ".join(("scenario", "config_id", *LOADERS))
    raise document.error((), f"no configuration of a known kind; expected one of the keys {known}")


def _demo(path: str | Path) -> BaseModel:
    return read_model(read_document(path), DemoFile)


LOADERS: Mapping[str, Callable[[str | Path], BaseModel]] = {
    "demo": _demo,
    "map_id": load_map,
    "objects": load_affordances,
    "plan": load_gates,
    "golden": load_rehearsal,
    "profile": load_training,
    "holdout_share": load_curation,
    "autosave": load_snapshot_rules,
    "transport": load_telemetry,
    "auth": load_console,
    "grace": load_watch,
}
"""How a file is loaded by a key that tells its kind; towns and scenarios aside."""
