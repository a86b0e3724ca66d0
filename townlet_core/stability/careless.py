"""A policy of known quality: another one that takes a random legal option in a known share of its decisions."""

from collections.abc import Callable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from townlet_core.core import Simulation
from townlet_core.policy.acting import Policy

AHEAD = 64
"""Ticks for which a town's luck is drawn at once: the same numbers as tick by tick, in a fraction of the time."""


class Careless:
    """Whoever acts, with slips. A town's slips depend on its number and the seed alone, never on the batch."""

    name = "careless"

    def __init__(self, careful: Policy, sim: Simulation, share: float, seed: int) -> None:
        """Let `careful` act in a simulation, save for a `share` of the decisions."""
        self._careful, self._share = careful, share
        self._towns = [_generator(seed, sim.first_town + town) for town in range(sim.shape[0])]
        self._luck, self._tick = np.zeros((0, 0, 0, 0), np.float32), AHEAD

    def act(self, sim: Simulation) -> NDArray[np.int8]:
        """The careful choice, or a random legal one: int8 [towns, agents]."""
        actions, mask = self._careful.act(sim).astype(np.int8), sim.observation.mask
        drawn = self._drawn(*mask.shape[1:])
        slips = np.nonzero((drawn[..., 0] < self._share) & sim.decision)
        actions[slips] = ((1.0 - drawn[slips][:, 1:]) * mask[slips]).argmax(axis=1)
        return actions

    def _drawn(self, agents: int, actions: int) -> NDArray[np.float32]:
        if self._tick == AHEAD:
            shape = (AHEAD, agents, actions + 1)
            self._luck = np.stack([generator.random(shape, np.float32) for generator in self._towns])
            self._tick = 0
        self._tick += 1
        return self._luck[:, self._tick - 1]


def careless(enter: Callable[[Simulation], Policy], share: float, seed: int) -> Callable[[Simulation], Policy]:
    """How a policy with slips enters a simulation; with no share of slips it is the policy itself."""
    return (lambda sim: Careless(enter(sim), sim, share, seed)) if share else enter


def _generator(seed: int, town: int) -> np.random.Generator:
    return np.random.default_rng(list(sha256(f"careless:{seed}:{town}".encode()).digest()))
