"""The published schemas are those of the models, and every shipped file names the one that describes it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from townlet_core.config.schema import FOLDER, SCHEMA_KINDS, schema_file, schema_json

CONFIGS = Path(__file__).parents[3] / "configs"
SHIPPED = sorted(CONFIGS.rglob("*.yaml"))
NAMED = re.compile(r"\A# yaml-language-server: \$schema=(\S+)\n")


def keys_unknown_to(schema: dict[str, Any], node: dict[str, Any], data: Any, path: str = "") -> list[str]:
    """The keys of plain data that its schema node would not let an editor complete."""
    node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    if "anyOf" in node:
        return min((keys_unknown_to(schema, each, data, path) for each in node["anyOf"]), key=len)
    if isinstance(data, list):
        items = node.get("items", {})
        return [bad for at, each in enumerate(data) for bad in keys_unknown_to(schema, items, each, f"{path}[{at}]")]
    if not isinstance(data, dict):
        return []
    free = next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties", False))
    found = []
    for key, value in data.items():
        below = node.get("properties", {}).get(key, free)
        if below is False or below is True:
            found += [] if below else [f"{path}.{key}"]
        else:
            found += keys_unknown_to(schema, below, value, f"{path}.{key}")
    return found


@pytest.mark.parametrize("kind", SCHEMA_KINDS)
def test_the_published_schema_is_that_of_the_models(kind: str) -> None:
    published = CONFIGS / FOLDER / schema_file(kind)
    assert published.read_text() == schema_json(kind), "run: townlet config schema --write configs/schemas"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_every_shipped_file_names_a_schema_that_knows_its_keys(path: Path) -> None:
    text = path.read_text()
    named = NAMED.match(text)
    assert named, "the first line names no schema"
    schema = json.loads((path.parent / named[1]).resolve().read_text())
    assert keys_unknown_to(schema, schema, yaml.safe_load(text)) == []


def test_a_misspelt_key_is_unknown_to_the_schema() -> None:
    schema = json.loads(schema_json("scenario"))
    written = {"scenario": "x", "overrides": {"needs": {"decay_per_tick": {"hungr": 0.1, "energy": 0.1}}}}
    assert keys_unknown_to(schema, schema, written) == [".overrides.needs.decay_per_tick.hungr"]


def test_an_override_need_not_be_a_whole_section() -> None:
    overrides = json.loads(schema_json("scenario"))
    assert "required" in overrides
    assert '"required"' not in json.dumps(overrides["properties"]["overrides"])
    assert '"required"' in schema_json("town")
