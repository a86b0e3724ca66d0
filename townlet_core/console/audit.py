"""The audit: one line for every command that was given, appended and never changed, without any secret."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from townlet_core.errors import DataError


class Audit:
    """An append-only file of JSON lines, opened at once: a console that could not keep it never starts."""

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open the file, and make its folder.

        Args:
            path: The file.
            now: The time that a line tells.

        Raises:
            DataError: It cannot be opened.
        """
        self._path, self._now = path, now
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        except OSError as error:
            raise DataError(
                f"{path}: the audit cannot be kept: {error.strerror}; mend it, or set audit: null"
            ) from error

    def note(self, entry: dict[str, Any]) -> None:
        """Append a line. Raises DataError when it cannot be written whole."""
        line = json.dumps({"time": self._now().isoformat(timespec="milliseconds"), **entry}, ensure_ascii=False) + "\n"
        data = line.encode()
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise DataError(f"{self._path}: the audit cannot be kept: {error.strerror}; free space") from error
        if written != len(data):
            raise DataError(f"{self._path}: the audit cannot be kept: the disk is full; free space")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
