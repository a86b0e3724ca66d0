"""What changed between two states, and a state with the changes laid over it.

A state is nested dictionaries; a list or a plain value is a leaf that changes as a whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from townlet_core.errors import DataError

State = dict[str, Any]
Path = list[str]


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[State, list[Path]]:
    """Return what to set, nested as in `new`, and the paths of what is gone."""
    changed: State = {}
    removed: list[Path] = [[key] for key in old if key not in new]
    for key, value in new.items():
        if key not in old:
            changed[key] = value
        elif _inner(value) and _inner(old[key]):
            below, gone = difference(old[key], value)
            changed.update({key: below} if below else {})
            removed += [[key, *path] for path in gone]
        elif not _same(value, old[key]):
            changed[key] = value
    return changed, removed


def patched(state: Mapping[str, Any], changed: Mapping[str, Any], removed: Sequence[Sequence[str]]) -> State:
    """Return a state with what is gone taken out and the changes laid over it; the given state stays as it is.

    Raises:
        DataError: Something that is gone was not there.
    """
    result = dict(state)
    for path in removed:
        _require(result, path)
        result = _without(result, path)
    for key, value in changed.items():
        merge = _inner(value) and _inner(result.get(key))
        result[key] = patched(result[key], value, ()) if merge else value
    return result


def _without(state: Mapping[str, Any], path: Sequence[str]) -> State:
    head, *rest = path
    kept = {key: value for key, value in state.items() if key != head}
    return {**state, head: _without(state[head], rest)} if rest else kept


def _require(state: Any, path: Sequence[str]) -> None:
    for key in path:
        if not isinstance(state, Mapping) or key not in state:
            raise DataError(f"frame: {'.'.join(path)}: is gone, but was never there; begin again at a snapshot")
        state = state[key]


def _inner(value: Any) -> bool:
    """Whether something has parts of its own; an empty dictionary is a leaf, so that it can be told from no change."""
    return isinstance(value, Mapping) and bool(value)


def _same(one: Any, other: Any) -> bool:
    """Equality in JSON's sense: true is not 1, and 1.0 is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)
