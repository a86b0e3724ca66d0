"""Objects are what their names say or are refused; records are replaced whole; a failure leaves nothing behind."""

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from townlet_core.datasets import Store
from townlet_core.errors import DataError
from townlet_core.files import Sink

CONTENT = b"a town is a set of arrays" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["local", "file://", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """The same store on a local disk and on storage that is reached through fsspec."""
    places = {"local": tmp_path / "s", "file://": f"file://{tmp_path}/s", "memory": f"memory://{uuid4().hex}/s"}
    return Store(places[request.param])


def names(store: Store) -> list[str]:
    folder = store.root / "objects"
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def test_an_object_is_called_by_the_sha256_of_its_bytes(store: Store) -> None:
    assert store.put_bytes(CONTENT, ".parquet") == DIGEST
    assert names(store) == [f"{DIGEST}.parquet"]
    assert store.read_bytes(DIGEST, ".parquet") == CONTENT


def test_storing_twice_keeps_one_object(store: Store) -> None:
    store.put_bytes(CONTENT, ".bin")
    store.put_bytes(CONTENT, ".bin")
    assert names(store) == [f"{DIGEST}.bin"]


def test_a_writer_that_fails_leaves_nothing(store: Store) -> None:
    def write(sink: Sink) -> None:
        sink.write(CONTENT)
        raise RuntimeError("the power went off")

    with pytest.raises(RuntimeError):
        store.put(write)
    assert names(store) == []


@pytest.mark.parametrize("damage", [CONTENT[:-1], CONTENT[:100], b"", b"X" + CONTENT[1:]])
def test_a_damaged_object_is_refused_by_its_name_and_healed_by_storing_it_again(store: Store, damage: bytes) -> None:
    store.put_bytes(CONTENT, ".bin")
    store.object_path(DIGEST, ".bin").write_bytes(damage)
    with pytest.raises(DataError, match=f"{DIGEST}.bin: damaged.*run its step again"):
        store.verify(DIGEST, ".bin")
    assert not store.holds(f"{DIGEST}.bin")
    store.put_bytes(CONTENT, ".bin")
    assert store.holds(f"{DIGEST}.bin")


def test_a_missing_object_is_named(store: Store) -> None:
    with pytest.raises(DataError, match=f"{DIGEST}.parquet: missing; restore the file or run"):
        store.open(DIGEST)


def test_an_object_that_is_no_parquet_file_is_refused(store: Store) -> None:
    store.put_bytes(CONTENT, ".parquet")
    with pytest.raises(DataError, match=f"{DIGEST}.parquet: not a complete Parquet file") as caught:
        store.open(DIGEST)
    assert "\n" not in str(caught.value)


def test_a_record_comes_back_as_it_went_and_its_bytes_do_not_depend_on_key_order(store: Store) -> None:
    store.write_record("captures/a/1.json", {"b": [1, 2.5], "a": {"ü": None}})
    assert store.read_record("captures/a/1.json") == {"a": {"ü": None}, "b": [1, 2.5]}
    store.write_record("captures/a/2.json", {"a": {"ü": None}, "b": [1, 2.5]})
    first, second = (store.path(f"captures/a/{number}.json").read_bytes() for number in (1, 2))
    assert first == second
    assert store.records() == ["captures/a/1.json", "captures/a/2.json"]


def test_replacing_a_record_leaves_one_file(store: Store) -> None:
    store.write_record("x.json", {"v": 1})
    store.write_record("x.json", {"v": 2})
    assert store.read_record("x.json") == {"v": 2}
    assert [entry.name for entry in store.root.iterdir()] == ["x.json"]


def test_a_record_that_cannot_be_written_as_json_leaves_the_old_one(store: Store) -> None:
    store.write_record("x.json", {"v": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.write_record("x.json", {"v": float("nan")})
    assert store.read_record("x.json") == {"v": 1}


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"[1]", b"\xff"])
def test_a_record_that_is_no_json_object_is_refused_by_name(store: Store, content: bytes) -> None:
    store.write_record("x.json", {})
    store.path("x.json").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.json: .*delete it and run its step again"):
        store.read_record("x.json")


def test_a_missing_record_is_named(store: Store) -> None:
    with pytest.raises(DataError, match=r"captures/a/b\.json: missing; make it with: townlet capture"):
        store.read_record("captures/a/b.json")


@pytest.mark.parametrize("path", ["../x.json", "/etc/passwd", "a/../../b.json", ""])
def test_a_record_path_cannot_leave_the_store(store: Store, path: str) -> None:
    with pytest.raises(DataError, match="relative and has no"):
        store.path(path)


@pytest.mark.parametrize("digest", ["abc", "../" + "0" * 61, "Z" * 64])
def test_only_a_sha256_names_an_object(store: Store, digest: str) -> None:
    with pytest.raises(DataError, match="not the name of an object"):
        store.object_path(digest)


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond `room` bytes, as a full disk would."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_full_disk_is_one_line_and_leaves_the_old_record_and_no_part_of_the_new(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write_record("x.json", {"v": 1})
    with full_disk(1000), pytest.raises(DataError, match=r"cannot write: .*free space"):
        store.write_record("x.json", {"v": "long" * 1_000_000})
    with full_disk(1000), pytest.raises(DataError, match="cannot write"):
        store.put_bytes(CONTENT * 1000, ".bin")
    assert store.read_record("x.json") == {"v": 1}
    assert names(store) == []


def test_a_process_that_is_killed_while_writing_leaves_no_object(tmp_path: Path) -> None:
    program = (
        "import os\nfrom townlet_core.datasets import Store\n"
        f"with Store({str(tmp_path)!r}).create() as sink:\n    sink.write(b'x' * 100000); sink.flush(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert [name for name in names(Store(tmp_path)) if not name.startswith(".tmp-")] == []
    assert Store(tmp_path).records() == []


def test_the_root_may_be_text_a_path_or_a_upath(tmp_path: Path) -> None:
    for root in (str(tmp_path), tmp_path, UPath(tmp_path)):
        Store(root).write_record("r.json", {"root": "same"})
    assert json.loads((tmp_path / "r.json").read_text()) == {"root": "same"}
