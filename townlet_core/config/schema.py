"""The published JSON Schemas of the configuration files, from which editors complete keys and explain them."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from upath import UPath

from townlet_core.config.affordances import AffordanceManifest
from townlet_core.config.console import ConsoleRules
from townlet_core.config.curation import CurationRules
from townlet_core.config.demo import DemoFile
from townlet_core.config.expectations import KINDS, Demand
from townlet_core.config.gates import GatePolicy
from townlet_core.config.loading import EMBEDDED
from townlet_core.config.maps import MapConfig
from townlet_core.config.reading import schema_of
from townlet_core.config.rehearsal import RehearsalPlan
from townlet_core.config.scenario import ScenarioFile
from townlet_core.config.snapshots import SnapshotRules
from townlet_core.config.telemetry import TelemetryConfig
from townlet_core.config.town import TownConfig
from townlet_core.config.training import TrainingProfile
from townlet_core.config.watch import WatchRules
from townlet_core.files import write_whole

FOLDER = "schemas"
"""Folder of the published schemas, below the configuration folder."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema_json(kind: str = "town") -> str:
    """Write the JSON Schema of one kind of configuration file, one of `SCHEMA_KINDS`."""
    schema = SCHEMA_KINDS[kind]()
    schema["$schema"], schema["title"] = DIALECT, f"Townlet {kind}"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def schema_file(kind: str) -> str:
    """Name the file of a published schema."""
    return f"{kind}.schema.json"


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into a folder, one file per kind, and return the files."""
    files = [folder / schema_file(kind) for kind in SCHEMA_KINDS]
    for kind, file in zip(SCHEMA_KINDS, files, strict=True):
        write_whole(UPath(file), schema_json(kind).encode())
    return files


def _of(model: type[BaseModel]) -> Callable[[], Schema]:
    return lambda: deepcopy(schema_of(model))


def _town() -> Schema:
    """A town as written: map and affordances may be paths of files."""
    schema = deepcopy(schema_of(TownConfig))
    for key in EMBEDDED:
        path = {"type": "string", "description": "Path of the file, relative to this one."}
        schema["properties"][key] = {"anyOf": [path, schema["properties"][key]]}
    return schema


def _scenario() -> Schema:
    """A scenario as written: its overrides are any part of a town, its expectations of one kind each."""
    schema, town = deepcopy(schema_of(ScenarioFile)), _optional(_town())
    definitions = town.pop("$defs")
    schema["properties"]["overrides"] = {**town, "title": "Overrides"}
    schema["$defs"] = definitions | schema.get("$defs", {})
    kinds = {kind: deepcopy(schema_of(model)) for kind, model in KINDS.items()}
    for kind in kinds.values():
        schema["$defs"] |= kind.pop("$defs", {})
    schema["properties"]["expectations"]["items"] = {"anyOf": [_flat(kind) for kind in kinds.values()]}
    return schema


def _flat(measure: Schema) -> Schema:
    """An expectation is written flat: the keys of what it measures, and those of what it demands."""
    measure["properties"] |= deepcopy(schema_of(Demand)["properties"])
    return measure


def _optional(node: Any) -> Any:
    """Take every `required` away: what an override leaves out stays as it is in the town."""
    if isinstance(node, Mapping):
        kept = {key: value for key, value in node.items() if key != "required" or not isinstance(value, list)}
        return {key: _optional(value) for key, value in kept.items()}
    return [_optional(part) for part in node] if isinstance(node, list) else node


SCHEMA_KINDS: dict[str, Callable[[], Schema]] = {
    "town": _town,
    "scenario": _scenario,
    "map": _of(MapConfig),
    "affordances": _of(AffordanceManifest),
    "console": _of(ConsoleRules),
    "curation": _of(CurationRules),
    "demo": _of(DemoFile),
    "gates": _of(GatePolicy),
    "rehearsal": _of(RehearsalPlan),
    "snapshots": _of(SnapshotRules),
    "telemetry": _of(TelemetryConfig),
    "training": _of(TrainingProfile),
    "watch": _of(WatchRules),
}
"""How the schema of each kind of file is made."""
