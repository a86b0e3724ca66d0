"""A step is done once for its inputs and code, and again as soon as anything about its result is in doubt."""

from pathlib import Path
from typing import Any

import pytest

from townlet_core.datasets import Store, derive
from townlet_core.datasets.derivations import named_objects
from townlet_core.errors import DataError


class Step:
    """A step that stores one object and counts how often it ran."""

    def __init__(self, store: Store, content: bytes = b"rows") -> None:
        self.store, self.content, self.runs = store, content, 0

    def __call__(self) -> dict[str, Any]:
        self.runs += 1
        return {"shards": [{"file": self.store.put_bytes(self.content, ".parquet") + ".parquet"}], "rows": (1, 2)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_the_same_inputs_give_the_recorded_result_without_building(store: Store) -> None:
    step = Step(store)
    first = derive(store, "capture/a", {"seed": 1, "towns": 2}, step, code="1")
    again = derive(store, "capture/a", {"towns": 2, "seed": 1}, step, code="1")
    assert step.runs == 1
    assert (first.reused, again.reused) == (False, True)
    assert first.record == again.record


@pytest.mark.parametrize(
    ("stage", "inputs", "code"),
    [("capture/b", {"seed": 1}, "1"), ("capture/a", {"seed": 2}, "1"), ("capture/a", {"seed": 1}, "2")],
)
def test_another_stage_input_or_source_builds(store: Store, stage: str, inputs: dict[str, Any], code: str) -> None:
    step = Step(store)
    derive(store, "capture/a", {"seed": 1}, step, code="1")
    assert not derive(store, stage, inputs, step, code=code).reused
    assert step.runs == 2


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing"])
def test_a_damaged_object_makes_the_step_run_again_and_heals(store: Store, damage: str) -> None:
    step = Step(store)
    name = derive(store, "s", {}, step, code="1").record["shards"][0]["file"]
    path = store.root / "objects" / name
    {
        "truncated": lambda: path.write_bytes(b"ro"),
        "changed": lambda: path.write_bytes(b"rowz"),
        "missing": path.unlink,
    }[damage]()
    assert not derive(store, "s", {}, step, code="1").reused
    assert store.holds(name)
    assert derive(store, "s", {}, step, code="1").reused


@pytest.mark.parametrize("spoil", [lambda text: text[:-20], lambda text: text.replace("[1,2]", "[1,3]")])
def test_a_spoilt_derivation_is_no_derivation(store: Store, spoil: Any) -> None:
    step = Step(store)
    derive(store, "s", {}, step, code="1")
    (place,) = store.records("derivations")
    before = store.path(place).read_text()
    store.path(place).write_text(spoil(before))
    assert store.path(place).read_text() != before
    assert derive(store, "s", {}, step, code="1") == ({**step(), "rows": [1, 2]}, False)


def test_a_step_that_dies_leaves_no_record(store: Store) -> None:
    def dies() -> dict[str, Any]:
        store.put_bytes(b"half", ".parquet")
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        derive(store, "s", {}, dies, code="1")
    assert store.records() == []
    assert not derive(store, "s", {}, Step(store), code="1").reused


def test_a_step_that_names_an_object_it_did_not_store_is_refused(store: Store) -> None:
    with pytest.raises(DataError, match="did not store it"):
        derive(store, "s", {}, lambda: {"file": "0" * 64 + ".parquet"}, code="1")
    assert store.records() == []


def test_without_a_code_digest_the_sources_of_the_library_decide(store: Store) -> None:
    step = Step(store)
    derive(store, "s", {}, step)
    assert derive(store, "s", {}, step).reused


def test_object_names_are_found_wherever_they_stand() -> None:
    one, two = "1" * 64 + ".parquet", "2" * 64 + ".safetensors"
    assert sorted(named_objects({"a": [{"b": one}, two], "digest": "3" * 64, "n": 1})) == [one, two]
