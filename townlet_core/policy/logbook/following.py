"""Following a training while it writes its log."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from townlet_core.policy.logbook.entries import Entry, parse_entry
from townlet_core.policy.logbook.tail import Tail
from townlet_core.policy.training_log import LOG_FILE


def follow_on(root: Path, path: Path, stop: Event, interval: float, timeout: float | None) -> Iterator[Entry | None]:
    """As `follow`, and behind the last line of a clone on with the log of its improvement, if it has one.

    Args:
        root: Where trainings lie side by side.
        path: The log to begin with.
        stop: As in `follow`.
        interval: As in `follow`.
        timeout: As in `follow`; it also bounds the wait for the improvement's log.

    Raises:
        DataError: A line is no record.
    """
    then = None
    for entry in follow(path, stop, interval, timeout):
        yield entry
        then = entry.row.get("then") if entry else None
    if then is None:
        return
    ended, since = path.stat().st_mtime_ns, time.monotonic()
    while not stop.is_set():
        begun = {log: log.stat().st_mtime_ns for log in root.glob(f"*/{LOG_FILE}")}
        newest = max(begun, key=lambda log: begun[log], default=None)
        if newest is not None and begun[newest] >= ended:
            yield from follow(newest, stop, interval, timeout)
            return
        if timeout is not None and time.monotonic() - since > timeout:
            yield None
            return
        stop.wait(interval)


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
