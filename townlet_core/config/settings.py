"""One key of a configuration explained: what it accepts, its default, its purpose, its value and where that stands."""

import difflib
import re
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from townlet_core.config.documents import Document, KeyPath, dotted, every_path
from townlet_core.config.explain import Schema, expectation, schema_at, unknown_name
from townlet_core.config.loading import TracedTown
from townlet_core.config.reading import schema_of
from townlet_core.config.tracing import Traced
from townlet_core.errors import ConfigError

_INDEX = re.compile(r"\[(\d+)\]\.?")
_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")
_NOTHING = object()
"""Stands where there is no default; None is a default."""


class Setting(NamedTuple):
    """What there is to know about one key.

    Attributes:
        key: The key, dotted.
        accepts: Type and range in words.
        has_default: Whether the key may be left out.
        default: What it then is; None if it may not.
        about: What the section says of itself and its keys.
        exists: Whether there is a value; there is none in a section that is empty.
        value: The value in force, as plain data.
        written: FILE:LINE of the value in force; None where it is the default.
    """

    key: str
    accepts: str
    has_default: bool
    default: Any
    about: str
    exists: bool
    value: Any
    written: str | None


def explain_key(found: TracedTown | Traced, key: str) -> Setting:
    """Explain a key of a file, dotted as in `jobs.clerk.wage_rate` or `outages[0].start`.

    Raises:
        ConfigError: There is no such key; the error says which was probably meant.
    """
    data, schema = found.config.model_dump(mode="json"), schema_of(type(found.config))
    known = _path(key, data)
    path = known or _path_in_empty_section(key, data, schema)
    if not path:
        raise ConfigError(_unknown(key, data))
    default = _default(type(found.config), path)
    accepts = expectation(schema_at(schema, path)) + (" or nothing" if default is None else "")
    has_default = default is not _NOTHING
    plain = to_jsonable_python(default) if has_default else None
    value = _at(data, path) if known else None
    written = _written(found.document, path)
    return Setting(dotted(path), accepts, has_default, plain, _about(schema, path), bool(known), value, written)


def _path_in_empty_section(key: str, data: Any, schema: Schema) -> KeyPath | None:
    """Find the path of a key that could stand in a list or section that is empty now."""
    for path in every_path(data):
        section, start = _at(data, path), dotted(path)
        if (section is None or section in ([], {})) and key.startswith((f"{start}.", f"{start}[")):
            inside = _PART.findall(key[len(start) :])
            full = (*path, *(int(index) if index else name for index, name in inside))
            if schema_at(schema, full):
                return full
    return None


def _path(text: str, data: Any) -> KeyPath | None:
    """Find the path that a dotted text means; names may hold dots themselves, as the characters of a map do."""
    if not text:
        return ()
    if isinstance(data, list):
        index = _INDEX.match(text)
        known = index is not None and int(index[1]) < len(data)
        return _joined(int(index[1]), text[index.end() :], data) if known and index else None
    if not isinstance(data, dict):
        return None
    fitting = (key for key in data if re.match(rf"{re.escape(key)}(?:[.\[]|$)", text))
    found = (_joined(key, text[len(key) :].removeprefix("."), data) for key in sorted(fitting, key=len, reverse=True))
    return next((path for path in found if path is not None), None)


def _joined(part: str | int, rest: str, data: Any) -> KeyPath | None:
    below = _path(rest, data[part])
    return None if below is None else (part, *below)


def _unknown(key: str, data: dict[str, Any]) -> str:
    """Suggest the key that ends alike, else the one that is spelt alike, else name the sections."""
    names = [dotted(path) for path in every_path(data) if path and isinstance(path[-1], str)]
    ends = {name.rsplit(".", 1)[-1]: name for name in reversed(names)}
    alike = difflib.get_close_matches(key, names, n=1) or difflib.get_close_matches(key, ends, n=1)
    meant = ends.get(key) or (ends.get(alike[0], alike[0]) if alike else None)
    return f"{key}: " + (f"unknown key; did you mean '{meant}'?" if meant else unknown_name("key", key, data))


def _default(model: type[BaseModel], path: KeyPath) -> Any:
    """Walk the models down a path: the default of the key itself, or what the default of a section above holds."""
    kind: Any = model
    default: Any = _NOTHING
    for part in path:
        default = _below(default, part)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields[str(part)]
            if default is _NOTHING and not field.is_required():
                default = field.get_default(call_default_factory=True)
            kind = _bare(field.annotation)
        else:
            kind = _bare(_inside(kind, part))
    return default


def _below(default: Any, part: str | int) -> Any:
    if isinstance(default, BaseModel):
        return getattr(default, str(part), _NOTHING)
    if isinstance(default, dict):
        return default.get(part, _NOTHING)
    known = isinstance(default, list | tuple) and isinstance(part, int) and part < len(default)
    return default[part] if known else _NOTHING


def _inside(kind: Any, part: str | int) -> Any:
    """Give the type of what is in a collection."""
    inner = get_args(kind)
    return inner[-1] if get_origin(kind) is dict else inner[0] if inner else kind


def _bare(kind: Any) -> Any:
    """Take the annotations and the `or nothing` off a type."""
    if hasattr(kind, "__metadata__"):
        return _bare(get_args(kind)[0])
    if type(None) in get_args(kind):
        return _bare(next(part for part in get_args(kind) if part is not type(None)))
    return kind


def _about(schema: Schema, path: KeyPath) -> str:
    """Give the description of the key, of what is in it, or of the nearest section above it."""
    above = [path[:depth] for depth in range(len(path), -1, -1)]
    nodes = (schema_at(schema, near) for near in (path, (*path, 0), (*path, "_"), *above))
    return next((" ".join(node["description"].split()) for node in nodes if "description" in node), "")


def _written(document: Document, path: KeyPath) -> str | None:
    place, below = document.place(path)
    return None if below or not _holds(document.data, path) else f"{place.file}:{place.line}"


def _holds(data: Any, path: KeyPath) -> bool:
    """Whether written data reaches down to a path; a list that was replaced may have been longer."""
    for part in path:
        inside = part in data if isinstance(data, dict) else isinstance(part, int) and part < len(data)
        if not inside:
            return False
        data = data[part]
    return True


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data
