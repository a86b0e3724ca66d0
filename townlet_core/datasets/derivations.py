"""Steps that are done once: unchanged inputs and code give what was recorded, after a check of every byte of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from townlet_core.config import canonical_json, digest
from townlet_core.datasets.store import OBJECT_NAME, Record, Store
from townlet_core.errors import DataError
from townlet_core.kernels import source_digest


class Derived(NamedTuple):
    """What a step produced, and whether it was found rather than built."""

    record: Record
    reused: bool


def derive(store: Store, stage: str, inputs: Record, build: Callable[[], Record], *, code: str = "") -> Derived:
    """Build a step's record, or return the one that the same stage, inputs and code gave before.

    A record names its objects by file name (`<sha256>.parquet`) anywhere in its values; a recorded result is reused
    only when every such object is present and undamaged. When `build` raises, nothing is recorded.

    Args:
        store: where objects and the record of this derivation live.
        stage: name of the step, for example `capture/ordinary_day`.
        inputs: everything that the result depends on, as JSON values; digests for files.
        build: does the work and returns the record.
        code: digest of the sources that do the work; all of `townlet_core` when empty.
    """
    code = code or source_digest()
    place = f"derivations/{stage}/{digest({'stage': stage, 'inputs': inputs, 'code': code})}.json"
    known = _recorded(store, place)
    if known is not None:
        return Derived(known, reused=True)
    result: Record = json.loads(canonical_json(build()))
    _require_objects(store, stage, result)
    derivation = {"stage": stage, "inputs": inputs, "code": code, "result": result, "result_digest": digest(result)}
    store.write_record(place, derivation)
    return Derived(result, reused=False)


def named_objects(value: Any) -> Iterator[str]:
    """Every object name (`<sha256><suffix>`) among the values of a record."""
    if isinstance(value, str):
        if OBJECT_NAME.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        yield from named_objects(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from named_objects(item)


def _recorded(store: Store, place: str) -> Record | None:
    if not store.has_record(place):
        return None
    try:
        derivation = store.read_record(place)
    except DataError:  # a damaged derivation is no derivation: the step runs again and replaces it
        return None
    result = derivation.get("result")
    if not isinstance(result, dict) or digest(result) != derivation.get("result_digest"):
        return None
    return result if all(store.holds(name) for name in named_objects(result)) else None


def _require_objects(store: Store, stage: str, result: Record) -> None:
    for name in named_objects(result):
        if not store.holds(name):
            raise DataError(f"{store.root}: {stage} names the object {name[:12]}… but did not store it; run it again")
