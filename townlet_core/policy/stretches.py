"""Decisions in runs that stay together: shuffled and dealt without taking apart what one memory spans."""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Stretches(NamedTuple):
    """Runs of consecutive decisions within one memory: run k is `order[starts[k]:starts[k + 1]]`.

    Attributes:
        order: every decision's index once, run by run, int64 [n].
        starts: where the runs begin in it, int64 [runs].

    What a network with a memory learns from together; without one, every decision is a run of its own.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def shuffled(self, stream: np.random.Generator) -> "Stretches":
        """The same runs in an order that the stream decides."""
        chosen = stream.permutation(len(self.starts))
        lengths = np.diff(self.starts, append=len(self.order))[chosen]
        ends = lengths.cumsum()
        shift = np.repeat(self.starts[chosen] - (ends - lengths), lengths)
        return Stretches(self.order[np.arange(len(self.order)) + shift], ends - lengths)

    def minibatches(self, size: int) -> Iterator["Stretches"]:
        """Whole runs together, about `size` decisions at a time and never fewer than one run."""
        first = np.searchsorted(self.starts, np.arange(0, len(self.order), size))
        bounds = [*np.unique(first).tolist(), len(self.starts)]
        for low, high in pairwise(bounds):
            if low < high:
                begin = int(self.starts[low])
                end = int(self.starts[high]) if high < len(self.starts) else len(self.order)
                yield Stretches(self.order[begin:end], self.starts[low:high] - begin)

    @property
    def begins(self) -> NDArray[np.bool_]:
        """Which places of the order begin a run, bool [n]."""
        flags = np.zeros(len(self.order), np.bool_)
        flags[self.starts] = True
        return flags


def lives_cut(
    row: NDArray[np.int64], following: NDArray[np.int64], afresh: NDArray[np.bool_], longest: int
) -> Stretches:
    """Cut the decisions of a rollout into runs of at most `longest` decisions.

    Args:
        row: The citizen of each decision, [n].
        following: Index of the same life's next decision or -1, [n].
        afresh: Whether the decision was taken with nothing remembered, [n]; nothing before it may be in its run.
        longest: Most decisions in one run.
    """
    order = np.argsort(row, kind="stable")
    follows = np.zeros(len(row), np.bool_)
    follows[following[following >= 0]] = True
    fresh = np.flatnonzero(~follows[order] | afresh[order])
    place = np.arange(len(order)) - np.repeat(fresh, np.diff(fresh, append=len(order)))
    return Stretches(order, np.flatnonzero(place % longest == 0))
