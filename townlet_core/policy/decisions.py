"""Decisions as the learner sees them: checked, dealt in order or shuffled."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from townlet_core.datasets.reading import DecisionBatch
from townlet_core.errors import DataError
from townlet_core.policy.stretches import Stretches

POOL_ROWS = 200_000
"""Decisions held in memory at once (about 160 MB); a larger dataset is shuffled pool by pool, each of them filled with
episodes drawn from all of it."""


class DecisionSource(Protocol):
    """One side of a dataset: what `datasets.DecisionReader` offers."""

    @property
    def layout(self) -> Mapping[str, Any]:
        """The observation layout's JSON."""

    @property
    def actions(self) -> Sequence[str]:
        """Names of the actions in mask order."""

    @property
    def scenarios(self) -> Sequence[str]:
        """Names of the scenarios."""

    @property
    def decisions(self) -> int:
        """How many there are."""

    @property
    def episodes(self) -> Sequence[Any]:
        """The episodes by number."""

    def read(self, number: int) -> DecisionBatch:
        """The decisions of one episode, rows in order of agent and tick; the same each time."""


class Hand(NamedTuple):
    """Rows dealt together, flattened for the network."""

    cells: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    expert: NDArray[np.int64]
    returns: NDArray[np.float32]
    scenario: NDArray[np.str_]
    earned: NDArray[np.float32]
    """Discounted rewards until the citizen's next decision."""
    ticks: NDArray[np.int32]
    """For how many ticks."""
    begins: NDArray[np.bool_]
    """True in the first decision of a life or behind a hard cut, where a memory begins, as long as the rows are in the
    order of the dataset or dealt by lives."""

    def take(self, rows: NDArray[np.int64]) -> "Hand":
        """The same columns, only these rows."""
        columns: tuple[Any, ...] = self
        return Hand(*(column[rows] for column in columns))


class Deck:
    """Deals a source's decisions: in order, or shuffled pool by pool with bounded memory.

    A source that fits into one pool is read once and kept; a larger one is read anew for each pass.
    """

    def __init__(self, source: DecisionSource, pool_rows: int = POOL_ROWS) -> None:
        self.source = source
        self._pool_rows = pool_rows
        self._fits = source.decisions <= pool_rows
        self._kept: list[Hand] | None = None

    def pools(self) -> Iterator[Hand]:
        """The rows in order, in pools of about `pool_rows`.

        Raises:
            DataError: A row holds a number that is not finite, or a choice that its mask forbids.
        """
        order = range(len(self.source.episodes))
        if not self._fits:
            yield from self._read(order)
            return
        if self._kept is None:
            self._kept = list(self._read(order))
        yield from self._kept

    def shuffled(self, size: int, generator: np.random.Generator, *, whole_lives: bool = False) -> Iterator[Hand]:
        """Minibatches of `size` rows (a pool's last one may be smaller) in an order that the generator alone decides.

        Args:
            size: Rows together; with `whole_lives` about as many.
            generator: Decides the order.
            whole_lives: Keep the decisions of a life together and in order, up to a hard cut, for a network that
                remembers.
        """
        # A dataset lies scenario by scenario; read in that order, the last pools would have the last word of each pass.
        mixed = None if self._fits else generator.permutation(len(self.source.episodes)).tolist()
        for pool in self.pools() if mixed is None else self._read(mixed):
            everything = np.arange(pool.expert.size)
            runs = Stretches(everything, np.flatnonzero(pool.begins) if whole_lives else everything)
            for dealt in runs.shuffled(generator).minibatches(size):
                yield pool.take(dealt.order)

    def _read(self, order: Iterable[int]) -> Iterator[Hand]:
        waiting: list[Hand] = []
        rows = 0
        for number in order:
            waiting.append(checked(self.source.read(number), f"batch {number}"))
            rows += waiting[-1].expert.size
            if rows >= self._pool_rows:
                yield _joined(waiting)
                waiting, rows = [], 0
        if rows:
            yield _joined(waiting)


def checked(batch: DecisionBatch, name: str) -> Hand:
    """Flatten a batch and refuse what must not be learnt from.

    Args:
        batch: Whole episodes of decisions.
        name: What to call the batch in an error.

    Raises:
        DataError: A feature or return is not finite, or the teacher's choice is not legal under its mask.
    """
    expert = batch.expert.astype(np.int64)
    for bad, what in (
        (~np.isfinite(batch.features).all(axis=1), "a feature is not finite"),
        (~np.isfinite(batch.returns), "its return is not finite"),
        (~_legal(batch.mask, expert), "the teacher's choice is not legal under the mask"),
    ):
        if bad.any():
            row = int(bad.argmax())
            place = f"{batch.scenario[row]}, episode {batch.episode[row]}, tick {batch.tick[row]}"
            raise DataError(f"decisions: {name}, row {row} ({place}): {what}; capture it again, or curate it away")
    cells = batch.map.reshape(expert.size, math.prod(batch.map.shape[1:]))
    spans = (batch.return_to_next, batch.ticks_to_next)
    return Hand(cells, batch.features, batch.mask, expert, batch.returns, batch.scenario, *spans, batch.begins)


def _legal(mask: NDArray[np.bool_], expert: NDArray[np.int64]) -> NDArray[np.bool_]:
    named = (expert >= 0) & (expert < mask.shape[1])
    return np.asarray(named & mask[np.arange(expert.size), np.where(named, expert, 0)])


def _joined(hands: list[Hand]) -> Hand:
    columns: Any = zip(*hands, strict=True)
    return hands[0] if len(hands) == 1 else Hand(*(np.concatenate(column) for column in columns))
