"""The published JSON Schema of a town file, from which editors complete keys."""

import json
from copy import deepcopy

from townlet_core.config.loading import EMBEDDED, schema_of
from townlet_core.config.town import TownConfig


def schema_json() -> str:
    """Write the JSON Schema of a town file: as TownConfig, but map and affordances may be paths of files."""
    schema = deepcopy(schema_of(TownConfig))
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Townlet town"
    for key in EMBEDDED:
        path = {"type": "string", "description": "Path of the file, relative to this one."}
        schema["properties"][key] = {"anyOf": [path, schema["properties"][key]]}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
