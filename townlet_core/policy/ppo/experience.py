"""Decisions with what came of them: what a rollout gives and an update learns from."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.policy.ppo.advantages import Spans
from townlet_core.policy.ppo.towns import Seen


class Decided(NamedTuple):
    """Decisions as they were taken; every array is [n, ...].

    Attributes:
        row: the citizen's row.
        cells: uint8 [n, cells].
        features: float32 [n, f].
        mask: bool [n, actions].
        memory: float32 [n, recurrent], what was remembered before.
        action: int64 [n].
        log_prob: float32 [n], of the action under the policy that took it.
        value: float64 [n], what the critic expected, in units of reward.
        entropy: float32 [n], of the choice.
    """

    row: NDArray[np.int64]
    cells: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    memory: NDArray[np.float32]
    action: NDArray[np.int64]
    log_prob: NDArray[np.float32]
    value: NDArray[np.float64]
    entropy: NDArray[np.float32]

    @property
    def seen(self) -> Seen:
        """What was seen."""
        return Seen(self.cells, self.features, self.mask)

    def take(self, rows: NDArray[np.int64]) -> "Decided":
        """Copies of some of the decisions."""
        columns: tuple[Any, ...] = self
        return Decided(*(column[rows] for column in columns))


class Experience(NamedTuple):
    """Finished decisions in order of the tick that finished them, and their spans."""

    decided: Decided
    spans: Spans

    @property
    def size(self) -> int:
        """How many decisions there are."""
        return len(self.decided.row)


class Shown(NamedTuple):
    """What the teacher was seen doing where it drove; every array is [n, ...], as in `Decided`."""

    cells: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.bool_]
    memory: NDArray[np.float32]
    action: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many decisions there are."""
        return len(self.action)

    def take(self, rows: NDArray[np.int64]) -> "Shown":
        """Copies of some of the decisions."""
        columns: tuple[Any, ...] = self
        return Shown(*(column[rows] for column in columns))
