"""What is different between two towns, key by key, with defaults filled in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from townlet_core.config.documents import KeyPath, dotted
from townlet_core.config.town import TownConfig

_ABSENT = object()


class Difference(NamedTuple):
    """A key that is not the same in two towns; a town that lacks it has no side."""

    key: str
    sides: dict[str, Any]


def differences(a: TownConfig, b: TownConfig) -> list[Difference]:
    """Compare two towns, with maps and affordances embedded, in the order of the keys of `a`, then of `b`.

    Ranges and other lists of numbers count as one value; the rows of a map and the items of a list one by one.
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
