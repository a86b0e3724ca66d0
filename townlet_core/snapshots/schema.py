"""The published form of a snapshot: the keys of its identity and the fields of its records."""

from typing import Any

from townlet_core.core import SCHEMA_VERSION, Identity, Simulation
from townlet_core.core.forms import form_of
from townlet_core.core.statefile import FORMAT


def published_form(sim: Simulation) -> dict[str, Any]:
    """Describe what a file of these towns holds, as plain JSON values; sizes that depend on the town are left out.

    A change of it is a new schema version: it comes with a migration from the last one.
    """
    schema = Identity.model_json_schema()
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "identity": {name: _kind(part) for name, part in schema["properties"].items()},
        "arrays": {name: form_of(array.dtype).model_dump(mode="json")["fields"] for name, array in _named(sim)},
    }


def _kind(part: dict[str, Any]) -> str:
    return " or ".join(one["type"] for one in part.get("anyOf", [part]))


def _named(sim: Simulation) -> list[tuple[str, Any]]:
    return sorted(sim.arrays().items())
