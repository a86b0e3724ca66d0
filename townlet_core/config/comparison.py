"""What is different between two configurations of one kind, key by key, with defaults filled in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from townlet_core.config.documents import KeyPath, dotted

_ABSENT = object()


class Difference(NamedTuple):
    """A key that is not the same in both; a file that lacks it has no side."""

    key: str
    sides: dict[str, Any]


def differences(a: BaseModel, b: BaseModel) -> list[Difference]:
    """Compare two configurations of one kind, in the order of the keys of `a`, then of `b`.

    Maps and affordances of towns are embedded. Ranges and other lists of numbers count as one value; the rows of a map
    and the items of a list one by one.
    """
    one, other = dict(_values(a.model_dump(mode="json"), ())), dict(_values(b.model_dump(mode="json"), ()))
    found = []
    for path in {**one, **other}:
        sides = {"a": one.get(path, _ABSENT), "b": other.get(path, _ABSENT)}
        if sides["a"] != sides["b"]:
            found.append(Difference(dotted(path), {side: v for side, v in sides.items() if v is not _ABSENT}))
    return found


def _values(data: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _values(value, (*path, key))
    elif isinstance(data, list) and any(isinstance(value, str | dict | list) for value in data):
        for index, value in enumerate(data):
            yield from _values(value, (*path, index))
    elif data != []:
        yield path, data
