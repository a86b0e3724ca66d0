"""Dataset versions are listed, and taken out of use by the beginning of their id and with a reason."""

import json
from pathlib import Path

import pytest

from tests.core.cli.conftest import Townlet
from townlet_core.datasets import Store, read_catalogue

OLD, NEW, OTHER = "a1" * 32, "a2" * 32, "b3" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three active versions in the data folder that the command line works on."""
    store = Store(tmp_path / "data" / "datasets")
    entries = [{"id": version, "status": "active", "note": ""} for version in (OLD, NEW, OTHER)]
    store.write_record("versions.json", {"versions": entries})
    return store


def test_a_version_that_is_deprecated_keeps_its_reason_in_the_list(townlet: Townlet, store: Store) -> None:
    done = townlet("dataset", "deprecate", "b3b3", "--because", "captured with a broken shower")
    assert (done.code, done.out) == (0, f"{OTHER}: deprecated\n")
    assert read_catalogue(store)[OTHER] == {"status": "deprecated", "note": "captured with a broken shower"}
    listed = json.loads(townlet("dataset", "list", "--json").out)
    assert [(one["id"], one["status"]) for one in listed] == [(OLD, "active"), (NEW, "active"), (OTHER, "deprecated")]
    assert "captured with a broken shower" in townlet("dataset", "list").out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("a", "--because", "x"), "a: 2 versions begin so; give more digits"),
        (("c", "--because", "x"), f"c: no such version; known are {OLD[:12]}, {NEW[:12]}, {OTHER[:12]}"),
        (("b3", "--because", " "), "--because: say why"),
        (("b3",), "townlet dataset deprecate: missing option '--because'"),
    ],
)
def test_what_is_not_one_version_or_has_no_reason_changes_nothing(
    townlet: Townlet, store: Store, words: tuple[str, ...], problem: str
) -> None:
    outcome = townlet("dataset", "deprecate", *words)
    assert outcome.code == 2
    assert outcome.err.startswith(problem)
    assert {entry["status"] for entry in read_catalogue(store).values()} == {"active"}
