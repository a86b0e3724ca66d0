"""The content-addressed store: immutable objects named by their SHA-256, and small JSON records that point at them."""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from townlet_core.config import canonical_json
from townlet_core.errors import DataError
from townlet_core.files import TEMPORARY, Sink, file_digest, on_disk, sink, write_whole

OBJECTS = "objects"
PARQUET = ".parquet"
MAKERS = {"captures": "townlet capture", "curated": "townlet curate", "versions": "townlet curate"}
"""The command that makes the records of a folder; whatever else the line records, a release makes."""
OBJECT_NAME = re.compile(r"(?P<digest>[0-9a-f]{64})(?P<suffix>\.[a-z0-9]+)")

Record: TypeAlias = dict[str, Any]
"""A small JSON document: what a stage did, in names, numbers and digests."""


class Store:
    """A folder of objects and records, local or on any storage that fsspec reaches (`s3://…`, `memory://…`).

    Objects live in `objects/<sha256><suffix>` and never change. Records live anywhere else below the root as canonical
    JSON and are replaced in one step.
    """

    def __init__(self, root: UPath | Path | str) -> None:
        """Name the root folder; it is created on the first write."""
        self.root = UPath(root)

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"

    def path(self, relative: str) -> UPath:
        """The place of a record, confined to the root. Raises DataError for a path that leaves it."""
        pure = PurePosixPath(relative)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise DataError(f"{relative}: a path inside the store is relative and has no '..'")
        return self.root.joinpath(*pure.parts)

    def object_path(self, digest: str, suffix: str = PARQUET) -> UPath:
        """The place of an object. Raises DataError for something that is not a SHA-256."""
        if not OBJECT_NAME.fullmatch(f"{digest}{suffix}"):
            raise DataError(f"{digest}{suffix}: not the name of an object; a name is 64 hex digits and a suffix")
        return self.root / OBJECTS / f"{digest}{suffix}"

    @contextmanager
    def create(self, suffix: str = PARQUET) -> Iterator[Sink]:
        """A new object to write into; it gets its name when the block ends well and vanishes when it does not."""
        with sink(self.root / OBJECTS) as opened:
            yield opened
            opened.commit(self.object_path(opened.digest, suffix))

    def put(self, write: Callable[[Sink], None], suffix: str = PARQUET) -> str:
        """Store what `write` writes; returns its digest. Writing an object that is there already heals it."""
        with self.create(suffix) as opened:
            write(opened)
        return opened.digest

    def put_bytes(self, content: bytes, suffix: str) -> str:
        """Store bytes as an object; returns their digest."""
        with self.create(suffix) as opened:
            opened.write(content)
        return opened.digest

    def verify(self, digest: str, suffix: str = PARQUET) -> UPath:
        """The place of an object whose bytes were read and match its name. Raises DataError otherwise."""
        path = self.object_path(digest, suffix)
        if not path.exists():
            raise DataError(f"{path}: missing; restore the file or run the step that made it again")
        found = file_digest(path)
        if found != digest:
            raise DataError(
                f"{path}: damaged, its content has the digest {found[:12]}…; delete it and run its step again"
            )
        return path

    def holds(self, name: str) -> bool:
        """Whether the object called `<sha256><suffix>` is present and undamaged."""
        match = OBJECT_NAME.fullmatch(name)
        try:
            return match is not None and bool(self.verify(match["digest"], match["suffix"]))
        except DataError:
            return False

    def open(self, digest: str) -> pq.ParquetFile:
        """A verified Parquet object, its rows not yet read. Raises DataError when it is missing or damaged."""
        return open_parquet(self.verify(digest))

    def read_bytes(self, digest: str, suffix: str) -> bytes:
        """The verified bytes of an object."""
        return self.verify(digest, suffix).read_bytes()

    def read_record(self, relative: str) -> Record:
        """A record as a dictionary. Raises DataError when it is missing or not a JSON object."""
        path = self.path(relative)
        try:
            record = json.loads(path.read_bytes())
        except FileNotFoundError:
            maker = MAKERS.get(PurePosixPath(relative).parts[0], "townlet release build")
            raise DataError(f"{path}: missing; make it with: {maker}") from None
        except (ValueError, OSError) as error:
            raise DataError(f"{path}: not a readable record ({error}); delete it and run its step again") from error
        if not isinstance(record, dict):
            raise DataError(f"{path}: a record is a JSON object; delete it and run its step again")
        return record

    def write_record(self, relative: str, record: Record) -> None:
        """Replace a record in one step by the canonical JSON of `record`."""
        write_whole(self.path(relative), canonical_json(record) + b"\n")

    def has_record(self, relative: str) -> bool:
        """Whether a record exists; it may still be unreadable."""
        return self.path(relative).is_file()

    def records(self, folder: str = "") -> list[str]:
        """Relative paths of all records below a folder, sorted."""
        start = self.path(folder) if folder else self.root
        if not start.is_dir():
            return []
        found = (entry for entry in start.rglob("*.json") if not entry.name.startswith(TEMPORARY))
        return sorted(self.relative(entry) for entry in found)

    def relative(self, path: UPath) -> str:
        """A path below the root, as records name it."""
        return path.relative_to(self.root).as_posix()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one process at a time change a shared record; a lock that dies with its process. Local stores only."""
        local = on_disk(self.root)
        if local is None:
            yield
            return
        local.mkdir(parents=True, exist_ok=True)
        handle = os.open(local, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def open_parquet(path: UPath) -> pq.ParquetFile:
    """A Parquet file, opened without reading its rows. Raises DataError when it is missing, truncated or no Parquet."""
    local = on_disk(path)
    try:
        return pq.ParquetFile(local, memory_map=True) if local else pq.ParquetFile(path.open("rb"))
    except FileNotFoundError:
        raise DataError(f"{path}: missing; name an existing shard") from None
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(f"{path}: not a complete Parquet file ({reason}); restore it or capture it again") from error
