"""Files that appear whole or not at all, on a local disk as on any other storage that fsspec reaches."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from upath import UPath

from townlet_core.errors import DataError

TEMPORARY = ".tmp-"
"""Prefix of a file that is still being written; nothing reads such a file."""


class Sink:
    """A file under a temporary name that hashes what is written to it; `commit` gives it its real name.

    Pyarrow can write into it. Every failure to write raises a DataError that names the folder.
    """

    def __init__(self, folder: UPath) -> None:
        """Open a temporary file in `folder`, which is created when it is missing."""
        self._temporary = folder / f"{TEMPORARY}{uuid4().hex}"
        self._hash = hashlib.sha256()
        self.size = 0
        with _explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._stream: IO[bytes] = self._temporary.open("wb")

    @property
    def digest(self) -> str:
        """SHA-256 of everything written so far, in hex."""
        return self._hash.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether the temporary file has been closed."""
        return self._stream.closed

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes; a full disk raises DataError."""
        view = memoryview(data)
        with _explained(self._temporary.parent):
            self._stream.write(view)
        self._hash.update(view)
        self.size += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Bytes written so far."""
        return self.size

    def flush(self) -> None:
        """Hand buffered bytes to the operating system."""
        with _explained(self._temporary.parent):
            self._stream.flush()

    def commit(self, target: UPath) -> None:
        """Make the file visible as `target`, replacing an older one in one step."""
        with _explained(target):
            local = on_disk(target)
            if local is None:
                self._stream.close()
                target.fs.mv(self._temporary.path, target.path)
            else:
                self._commit_local(local)

    def discard(self) -> None:
        """Remove the temporary file, if it still has its temporary name."""
        with suppress(OSError):  # a full disk also fails on close; the file goes away all the same
            self._stream.close()
        if self._temporary.exists():
            self._temporary.unlink()

    def _commit_local(self, target: Path) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        os.replace(self._temporary.path, target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def on_disk(path: UPath) -> Path | None:
    """The path as a local one, or None when it lies on other storage."""
    return Path(path.path) if path.protocol in ("", "file", "local") else None


@contextmanager
def sink(folder: UPath) -> Iterator[Sink]:
    """A Sink that leaves nothing behind unless it was committed."""
    opened = Sink(folder)
    try:
        yield opened
    finally:
        opened.discard()


def write_whole(path: UPath, content: bytes) -> None:
    """Write one small file so that readers see the old content or the new, never a part."""
    with sink(path.parent) as opened:
        opened.write(content)
        opened.commit(path)


def file_digest(path: UPath) -> str:
    """SHA-256 of a file's bytes in hex, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _explained(path: UPath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"{path}: cannot write: {reason}; free space or mend the permissions, run again") from error
