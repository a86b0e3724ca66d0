"""A reader's copy of a town, kept up to date by frames."""

from collections.abc import Iterable, Iterator
from typing import Any

from townlet_core.errors import DataError
from townlet_core.telemetry.diffs import State, patched
from townlet_core.telemetry.schema import checked_frame


class Mirror:
    """The state that a stream tells of. After a gap it waits for the next snapshot and says how many frames it missed.

    Attributes:
        state: The state after the latest frame; None until a snapshot came and while it waits for the next.
        missed: Frames that were lost or could not be used since the beginning.
    """

    def __init__(self) -> None:
        """Begin without a state."""
        self.state: State | None = None
        self.missed = 0
        self._next: int | None = None

    def apply(self, frame: dict[str, Any]) -> State | None:
        """Take in one frame and return the state after it, or None while a snapshot is awaited.

        Raises:
            DataError: The frame takes out something that was never there.
        """
        self._count_gap(frame)
        self._next = frame["seq"] + 1
        if frame["kind"] == "snapshot":
            self.state = frame["state"]
        elif self.state is None:
            self.missed += 1
        else:
            self.state = patched(self.state, frame["changed"], frame["removed"])
        return self.state

    def _count_gap(self, frame: dict[str, Any]) -> None:
        """Forget the state when frames are missing; a snapshot numbered 0 begins another stream and is no gap."""
        begins = frame["kind"] == "snapshot" and frame["seq"] == 0
        if self._next is not None and frame["seq"] != self._next and not begins:
            self.missed += max(frame["seq"] - self._next, 0)
            self.state = None


def read_frames(lines: Iterable[bytes], source: str) -> Iterator[dict[str, Any]]:
    """Read a stream line by line, each held against the schema.

    Raises:
        DataError: A line is no frame; the error names the source and the line's number.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield checked_frame(line)
        except DataError as error:
            raise DataError(f"{source}:{number}: {error}") from error
