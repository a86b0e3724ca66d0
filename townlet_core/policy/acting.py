"""A trained policy at work in a town: greedy, quick, and the same whatever the batch."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.forward import ActingWeights, choose_actions, scratch_rows
from townlet_core.policy.layouts import require_same_layout

if TYPE_CHECKING:
    from townlet_core.core import Simulation


class Policy(Protocol):
    """Whoever chooses for the citizens: the teacher, a clone, or another release."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def act(self, sim: "Simulation") -> NDArray[np.int8]:
        """Choose for every agent of every town from the current observation: int8 [towns, agents]."""


class LearnedPolicy(NamedTuple):
    """A network's weights together with the observations they were trained for."""

    name: str
    digest: str
    """Digest of the checkpoint it was loaded from."""
    layout: ObservationLayout
    weights: ActingWeights

    def act(self, sim: "Simulation") -> NDArray[np.int8]:
        """Choose the legal action with the highest score for every agent that decides; forced agents cost nothing.

        Args:
            sim: A batch of towns with this policy's layout (`enter` checks that once).

        Returns:
            int8 [towns, agents]; 0 for the dead.
        """
        seen = sim.observation
        return self.choose(seen.map, seen.features, seen.mask, sim.decision)

    def enter(self, sim: "Simulation") -> "LearnedPolicy":
        """This policy, once the town's layout is known to be the one it was trained on.

        Raises:
            CheckpointError: The town observes or acts differently; the line names the first difference.
        """
        require_same_layout(self.layout, sim.layout, f"policy {self.digest[:12]}")
        return self

    def choose(
        self,
        cells: NDArray[np.uint8],
        features: NDArray[np.float32],
        mask: NDArray[np.bool_],
        decides: NDArray[np.bool_],
    ) -> NDArray[np.int8]:
        """Choose for rows of any leading shape [...]: maps [..., w, w, c], features [..., f], masks [..., a]."""
        shape, actions = mask.shape[:-1], mask.shape[-1]
        rows = int(np.prod(shape))
        chosen = np.empty(rows, np.int8)
        choose_actions(
            np.ascontiguousarray(cells).reshape(rows, self.weights.map_weight.shape[0]),
            np.ascontiguousarray(features).reshape(rows, self.weights.feature_weight.shape[0]),
            np.ascontiguousarray(mask).reshape(rows, actions),
            np.ascontiguousarray(decides).reshape(rows),
            self.weights,
            scratch_rows(self.weights),
            chosen,
        )
        return chosen.reshape(shape)
