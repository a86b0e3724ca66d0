"""Sums over a moving window in memory that does not grow, whatever the length of the window."""

import numpy as np
from numpy.typing import NDArray

PARTS = 24
"""Least parts of a long window; the oldest part leaves as a whole, so a sum lacks at most one part of its window."""


class RollingSums:
    """Sums of an array over the latest ticks; after `add`, `total` covers at most `window` ticks."""

    def __init__(self, window: int, shape: tuple[int, ...]) -> None:
        """Start with an empty window of `window` ticks over arrays of `shape`."""
        self._part_ticks = max(window // PARTS, 1)
        self._parts = np.zeros((window // self._part_ticks, *shape))
        self._closed, self._open = np.zeros(shape), self._parts[0]
        self._tick = -1

    def add(self, values: NDArray[np.float64]) -> None:
        """Count one tick; the part of the window that is too old is forgotten."""
        self._tick += 1
        part = self._tick // self._part_ticks % len(self._parts)
        if self._tick % self._part_ticks == 0:
            self._parts[part] = 0.0
            self._closed = self._parts.sum(axis=0)
        self._open = self._parts[part]
        self._open += values

    @property
    def total(self) -> NDArray[np.float64]:
        """The sums over the window, of the array's shape."""
        total: NDArray[np.float64] = self._closed + self._open
        return total
