"""Who drives: which citizens the teacher decides for, drawn from each town's own luck when an episode begins."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from townlet_core.kernels import POLICY, kernel, uniform
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.teacher import Teacher


@kernel(entry=True)
def draw_for_everybody(towns, asked, drawn):  # type: ignore[no-untyped-def]
    """Write a draw in [0, 1) for each citizen of the towns asked to float64 [B, N], from the towns' policy streams."""
    for b in range(drawn.shape[0]):
        if asked[b]:
            for i in range(drawn.shape[1]):
                drawn[b, i] = uniform(towns[b].streams, POLICY)


class Drivers:
    """The citizens whom the teacher drives, each for a whole episode.

    A town draws for its citizens from its own stream when an episode begins, so who is driven depends on the run's
    seed, the town's number, the episode's number and the share alone: not on the batch or on other towns.
    """

    def __init__(self, towns: TrainingTowns, ratio: float, *, noted: bool) -> None:
        """Draw for the episodes that the towns have just begun.

        Args:
            towns: Freshly settled towns.
            ratio: Share of the citizens that the teacher drives; it may change, and counts when an episode begins.
            noted: Whether somebody wants to learn from what the teacher does.
        """
        self._towns, self.ratio, self.noted = towns, ratio, noted
        self.scripted = np.zeros(towns.rows, np.bool_)
        self._teachers = [Teacher(env.sim) for env in towns.envs]
        self.renew(np.arange(towns.rows))

    def renew(self, rows: NDArray[np.int64]) -> None:
        """Draw anew for the citizens of towns whose episode has just begun, given as rows."""
        begun = np.zeros(self._towns.rows, np.bool_)
        begun[rows] = True
        for env, place in zip(self._towns.envs, self._towns.places, strict=True):
            asked, drawn = begun[place].reshape(env.shape).any(axis=1), np.empty(env.shape)
            draw_for_everybody(env.sim.state.towns, asked, drawn)
            self.scripted[place].reshape(env.shape)[asked] = drawn[asked] < self.ratio

    def choices(self) -> NDArray[np.int8]:
        """What the teacher would choose for everybody, int8 [R]."""
        return np.concatenate([teacher.act().reshape(-1) for teacher in self._teachers])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What outlives a rollout, by name; live arrays, no copies."""
        return {"scripted": self.scripted}

    def restore(self, arrays: Mapping[str, NDArray[Any]], ratio: float) -> None:
        """Go on from what `arrays` gave, with the share that was in force."""
        self.scripted[...], self.ratio = arrays["scripted"], ratio
