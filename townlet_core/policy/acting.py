"""A trained policy at work in a town: greedy, quick, and the same whatever the batch."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from townlet_core.errors import CheckpointError
from townlet_core.observations.layout import CONTEXT_CUT, ObservationLayout
from townlet_core.policy.forward import ActingWeights, choose_actions, scratch_rows
from townlet_core.policy.layouts import require_same_layout

if TYPE_CHECKING:
    from townlet_core.core import Simulation


def context_cut(layout: ObservationLayout) -> int:
    """Index of the feature that cuts memories.

    Raises:
        CheckpointError: The layout has none, so nobody who remembers can live by it.
    """
    names = [feature.name for feature in layout.features]
    if CONTEXT_CUT not in names:
        raise CheckpointError(f"layout {layout.variant}: has no feature {CONTEXT_CUT}; train without `recurrent`")
    return names.index(CONTEXT_CUT)


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
    memory: NDArray[np.float32] | None = None
    """What the agents of the entered town remember, [towns * agents, recurrent], renewed by `act`."""

    def act(self, sim: "Simulation") -> NDArray[np.int8]:
        """Choose the legal action with the highest score for every agent that decides; forced agents cost nothing.

        A policy that remembers carries its memory from decision to decision and forgets where the context is cut,
        which the observation flags: when a life begins, and in mid-life when somebody is put elsewhere or a use breaks
        off. It must have entered this town.

        Args:
            sim: A batch of towns with this policy's layout (`enter` checks that once).

        Returns:
            int8 [towns, agents]; 0 for the dead.
        """
        seen = sim.observation
        if self.memory is not None:
            cut = seen.features[..., context_cut(self.layout)] > 0
            self.memory[cut.reshape(-1)] = 0.0
        return self.choose(seen.map, seen.features, seen.mask, sim.decision, self.memory)

    def enter(self, sim: "Simulation") -> "LearnedPolicy":
        """This policy, once the town's layout is known to be the one it was trained on.

        Raises:
            CheckpointError: The town observes or acts differently; the line names the first difference.
        """
        require_same_layout(self.layout, sim.layout, f"policy {self.digest[:12]}")
        if not self.weights.recurrent:
            return self
        return self._replace(memory=np.zeros((int(np.prod(sim.shape)), self.weights.recurrent), np.float32))

    def choose(
        self,
        cells: NDArray[np.uint8],
        features: NDArray[np.float32],
        mask: NDArray[np.bool_],
        decides: NDArray[np.bool_],
        memory: NDArray[np.float32] | None = None,
    ) -> NDArray[np.int8]:
        """Choose for rows of any leading shape [...]: maps [..., w, w, c], features [..., f], masks [..., a].

        A memory [rows, recurrent] is renewed in place; without one, agents decide as if for the first time.
        """
        shape, actions = mask.shape[:-1], mask.shape[-1]
        rows = int(np.prod(shape))
        chosen = np.empty(rows, np.int8)
        choose_actions(
            np.ascontiguousarray(cells).reshape(rows, self.weights.map_weight.shape[0]),
            np.ascontiguousarray(features).reshape(rows, self.weights.feature_weight.shape[0]),
            np.ascontiguousarray(mask).reshape(rows, actions),
            np.ascontiguousarray(decides).reshape(rows),
            self.weights,
            np.zeros((rows, self.weights.recurrent), np.float32) if memory is None else memory,
            scratch_rows(self.weights),
            chosen,
        )
        return chosen.reshape(shape)
