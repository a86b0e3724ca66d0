"""The log of a clone in the making: a record per epoch, and its figures as TensorBoard events."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from townlet_core.policy.report import EpochPoint
from townlet_core.policy.tensorboard import EventFile
from townlet_core.policy.training_log import EPOCHS_FILE, EVENTS, EpochRecord, LogFile

CLONED = ("loss", "value_loss", "validation_loss", "accuracy")
"""Figures of an epoch that are drawn over time."""


class CloningLog:
    """Appends a record per epoch of a clone to a folder's NDJSON file, and its figures to TensorBoard events beside it.

    A clone is always made anew, and so is its log.
    """

    def __init__(self, folder: Path, epochs: int) -> None:
        """Begin the log of a training of at most `epochs` epochs; the folder is created when missing."""
        self._file, self._events = LogFile(folder / EPOCHS_FILE), EventFile(folder / EVENTS, time.time())
        self._epochs, self._last, self._since = epochs, 0, time.perf_counter()

    def append(self, point: EpochPoint) -> None:
        """Write one epoch's figures as a line."""
        now, figures = time.perf_counter(), point.model_dump()
        self._file.append(EpochRecord(updates=self._epochs, epoch_duration_sec=now - self._since, **figures))
        self._events.add({f"clone/{name}": figures[name] for name in CLONED}, point.epoch, time.time())
        self._last, self._since = point.epoch, now

    @contextmanager
    def ending(self) -> Iterator[None]:
        """A block in which the clone is made, as that of `TrainingLog`."""
        with closing(self._events), self._file.ending(lambda: self._last):
            yield
