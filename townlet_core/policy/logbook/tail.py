"""Reading a file while it grows: whole lines only, through truncation and rotation."""

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple


class Line(NamedTuple):
    """A whole line with its number in the file, from 1."""

    content: bytes
    number: int


class Tail:
    """Gives each line of a file once, as soon as its end is written.

    A file that is put in the other's place (a rotation, or a training that was taken up again) is read from its
    beginning, after what is left of the old one; lines at its head that were there before are not given again.
    """

    def __init__(self, path: Path) -> None:
        """Begin before the first line; the file need not be there yet."""
        self._path = path
        self._file: FileIO | None = None
        self._rest = b""
        self._lines: list[int] = []
        self._before: list[int] = []

    def poll(self) -> Iterator[Line]:
        """The lines that came since the last call."""
        if self._file is not None:
            yield from self._drain(self._file)
            if not self._replaced(self._file):
                return
            yield from self._drain(self._file)
            self._file.close()
            self._file, self._rest = None, b""
            self._before, self._lines = self._lines, []
        try:
            self._file = FileIO(self._path)
        except FileNotFoundError:
            return
        yield from self._drain(self._file)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _drain(self, file: FileIO) -> Iterator[Line]:
        content = self._rest + file.readall()
        lines = content.splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            place, mark = len(self._lines), hash(line)
            self._lines.append(mark)
            if self._before[place : place + 1] == [mark]:
                continue
            self._before = []
            yield Line(line, place + 1)

    def _replaced(self, file: FileIO) -> bool:
        mine = os.fstat(file.fileno())
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return False  # between two names of a rotation; the old file may still grow
        return (now.st_ino, now.st_dev) != (mine.st_ino, mine.st_dev) or now.st_size < file.tell()
