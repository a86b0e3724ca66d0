"""Says in one line what a value breaks and what would be right, from the JSON Schema of the section."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from townlet_core.config.documents import KeyPath, describe_value

Schema = Mapping[str, Any]

_KINDS = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}


def first_problem(error: ValidationError, schema: Schema) -> tuple[KeyPath, str]:
    """Pick the problem to report and put it into words.

    A misspelt key comes before the missing key that it causes.

    Args:
        error: What Pydantic found.
        schema: JSON Schema of the validated model.

    Returns:
        The path of the offending key, and the sentence about it.
    """
    problems = error.errors(include_url=False)
    worst = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    path: KeyPath = tuple(worst["loc"])
    if path and path[-1] == "[key]":
        return path[:-1], unknown_name("key", str(path[-2]), key_names(schema_at(schema, path[:-2]))) or (
            f"not a key that fits here; expected {_expect_key(schema_at(schema, path[:-2]))}"
        )
    if worst["type"] == "missing" and isinstance(path[-1], int):
        path = path[:-1]
        node = schema_at(schema, path)
        return path, f"found {_found(worst['input'], node, schema)}, expected {expectation(node)}"
    return path, _sentence(worst["type"], worst["msg"], worst["input"], schema, path)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown and give the nearest valid one, or all of them; empty when none are known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"unknown {kind} '{name}'; did you mean '{near[0]}'?"
    return f"unknown {kind} '{name}'; expected one of {', '.join(names)}" if names else ""


def key_names(schema: Schema) -> list[str]:
    """List the keys that a section's schema names."""
    return list(schema.get("properties", schema.get("propertyNames", {}).get("enum", [])))


def schema_at(schema: Schema, path: KeyPath) -> Schema:
    """Walk a JSON Schema down to the node that describes `path`; empty when the schema says nothing about it."""
    root, node = schema, _resolve(schema, schema)
    for part in path:
        node = _resolve(_child(node, part), root)
    return node


def expectation(node: Schema) -> str:
    """Say in words what a schema node accepts: `a whole number from 1 to 250`."""
    if "enum" in node:
        return f"one of {', '.join(map(str, node['enum']))}"
    if "const" in node:
        return str(node["const"])
    if "anyOf" in node:
        return expectation(node["anyOf"][0])
    if node.get("type") == "array":
        return _expect_list(node)
    if node.get("type") == "string":
        return _expect_text(node)
    return _KINDS.get(node.get("type", ""), "a section with keys of its own") + _bounds(node)


def _sentence(kind: str, message: str, found: Any, schema: Schema, path: KeyPath) -> str:
    if kind == "extra_forbidden":
        return unknown_name("key", str(path[-1]), key_names(schema_at(schema, path[:-1])))
    node = schema_at(schema, path)
    if kind == "missing":
        return f"missing key; expected {expectation(node)}"
    if kind == "townlet":
        return f"needs {message}" if isinstance(found, dict) else f"found {describe_value(found)}, expected {message}"
    if kind == "literal_error" and isinstance(found, str):
        return unknown_name("name", found, map(str, node.get("enum", [node.get("const")])))
    return f"found {_found(found, node, schema)}, expected {expectation(node)}"


def _found(value: Any, node: Schema, root: Schema) -> str:
    """Say what was found, but for what must never be shown, or may be a secret at the wrong place."""
    return "something else" if _holds_secrets(node, root) else describe_value(value)


def _holds_secrets(node: Any, root: Schema) -> bool:
    """Whether a schema node describes a secret, or a section with one in it."""
    if isinstance(node, list):
        return any(_holds_secrets(part, root) for part in node)
    if not isinstance(node, Mapping):
        return False
    node = root["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    below = (value for key, value in node.items() if key != "$defs")
    return node.get("writeOnly") is True or any(_holds_secrets(value, root) for value in below)


def _resolve(node: Schema, root: Schema) -> Schema:
    if "$ref" in node:
        return _resolve(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in node:
        return _resolve(node["anyOf"][0], root)
    return node


def _child(node: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        items = node.get("prefixItems", [])
        found = items[part] if part < len(items) else node.get("items", {})
    else:
        found = node.get("properties", {}).get(part) or _free_key_schema(node)
    return found if isinstance(found, Mapping) else {}


def _free_key_schema(node: Schema) -> Any:
    """Give what the values of a section with free keys look like; constrained keys move it to patternProperties."""
    return next(iter(node.get("patternProperties", {}).values()), node.get("additionalProperties", {}))


def _expect_list(node: Schema) -> str:
    items = node.get("prefixItems")
    if items:
        return f"a list of {len(items)}, each {expectation(items[0])}"
    return "a list" + (f" of {node['minItems']} or more" if "minItems" in node else "")


def _expect_text(node: Schema) -> str:
    if "pattern" in node:
        return "a name of small letters, digits and underscores"
    if node.get("maxLength") == 1:
        return "one character"
    return "text"


def _expect_key(node: Schema) -> str:
    pattern = next(iter(node.get("patternProperties", {})), None)
    return _expect_text({"pattern": pattern} if pattern else node.get("propertyNames", {}))


def _bounds(node: Schema) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:.15g} to {high:.15g}"
    parts = [f"above {above:g}"] if above is not None else []
    parts += [f"below {below:g}"] if below is not None else []
    parts += [f"up to {high:g}"] if high is not None else []
    return " " + " and ".join(parts) if parts else ""
