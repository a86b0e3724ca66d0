"""The log of a clone in the making: a record per epoch, and its figures as TensorBoard events."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from townlet_core.policy.report import EpochPoint
from townlet_core.policy.tensorboard import EventFile
from townlet_core.policy.training_figures import LearnsFrom
from townlet_core.policy.training_log import EPOCHS_FILE, EPOCHS_TABLE, EVENTS, EpochRecord, LogFile, write_rows

CLONED = ("loss", "value_loss", "validation_loss", "accuracy")
"""Figures of an epoch that are drawn over time."""


class CloningLog:
    """Appends a record per epoch of a clone to a folder's NDJSON file, and its figures to TensorBoard events beside it.

    A clone is always made anew, and so is its log.
    """

    def __init__(self, folder: Path, epochs: int, then: LearnsFrom | None = None) -> None:
        """Begin the log.

        Args:
            folder: Created when missing.
            epochs: How many epochs there are at most.
            then: How the training goes on once the clone is finished; None where the clone is all of it.
        """
        self._file, self._events = LogFile(folder / EPOCHS_FILE), EventFile(folder / EVENTS, time.time())
        self._records: list[EpochRecord] = []
        self._epochs, self._then, self._since = epochs, then, time.perf_counter()

    def append(self, point: EpochPoint) -> None:
        """Write one epoch's figures as a line."""
        now, figures = time.perf_counter(), point.model_dump()
        record = EpochRecord(updates=self._epochs, epoch_duration_sec=now - self._since, **figures)
        self._file.append(record)
        self._records.append(record)
        self._events.add({f"clone/{name}": figures[name] for name in CLONED}, point.epoch, time.time())
        self._since = now

    @contextmanager
    def ending(self) -> Iterator[None]:
        """A block in which the clone is made, as that of `TrainingLog`; behind it the epochs are a table as well."""
        with closing(self._events), self._file.ending(lambda: len(self._records), self._then):
            try:
                yield
            finally:
                if self._records:
                    table = self._file.path.parent / EPOCHS_TABLE
                    write_rows([record.model_dump(mode="json") for record in self._records], table)
