"""Following a training while it writes its log."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from townlet_core.policy.logbook.entries import Entry, parse_entry
from townlet_core.policy.logbook.tail import Tail


def follow(path: Path, stop: Event, interval: float, timeout: float | None) -> Iterator[Entry | None]:
    """The entries of an NDJSON log, those that are there and then each as it is written.

    It ends with the training's last line, when `stop` is set, or with None when nothing came for `timeout` seconds.

    Args:
        path: The file; it need not be there yet.
        stop: Ends the following.
        interval: Seconds between two looks.
        timeout: Seconds that may pass without a new entry; None waits for ever.

    Raises:
        DataError: A line is no record.
    """
    tail, since = Tail(path), time.monotonic()
    try:
        while not stop.is_set():
            for line in tail.poll():
                entry = parse_entry(line.content, f"{path}:{line.number}")
                yield entry
                if entry.kind == "end":
                    return
                since = time.monotonic()
            if timeout is not None and time.monotonic() - since > timeout:
                yield None
                return
            stop.wait(interval)
    finally:
        tail.close()
