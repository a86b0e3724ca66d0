"""Annealing at work: holds the teacher's share and the last good weights, and carries out what a cycle decides."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from townlet_core.config.training_modes import AnnealRules
from townlet_core.policy.network import network_tensors
from townlet_core.policy.ppo.annealing import AnnealState, Figures, judge, ratio_at, told
from townlet_core.policy.ppo.drivers import Drivers
from townlet_core.policy.ppo.moments import optimiser_arrays
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.updating import Learner
from townlet_core.policy.training_figures import Annealing, CloneScore

Arrays = Mapping[str, NDArray[Any]]


class Good(NamedTuple):
    """Weights and moments to which a rollback returns."""

    tensors: Arrays
    optimiser: Arrays

    @classmethod
    def of(cls, learner: Learner) -> "Good":
        """Those that a learner has now; copies."""
        return cls(network_tensors(learner.network), optimiser_arrays(learner.optimizer))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Both by name, for a file."""
        tensors = {f"weights.{name}": array for name, array in self.tensors.items()}
        return tensors | {f"optimiser.{name}": array for name, array in self.optimiser.items()}

    @classmethod
    def read(cls, arrays: Arrays) -> "Good":
        """What `arrays` gave."""
        parts = (
            {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            for prefix in ("weights.", "optimiser.")
        )
        return cls(*parts)


class Annealer:
    """A training's share of scripted control, from the first cycle to the last."""

    def __init__(
        self, rules: AnnealRules, towns: TrainingTowns, learner: Learner, score: CloneScore | None = None
    ) -> None:
        """Begin at the first share; the weights that the learner has now are the first good ones.

        Args:
            rules: Shares and bounds.
            towns: Where the teacher drives.
            learner: The policy to be trained.
            score: How well the clone that it begins as agrees with the teacher, for the log.
        """
        self.rules, self.state, self.good, self.score = rules, AnnealState(), Good.of(learner), score
        self.drivers = Drivers(towns, ratio_at(rules, 0), noted=rules.imitation > 0)

    @property
    def standing(self) -> Annealing:
        """Where annealing stands, for the log."""
        return told(self.rules, self.state, None, self.score)

    def close_cycle(self, update: int, learner: Learner, found: Figures, teacher: Figures) -> Annealing:
        """Judge a cycle; keep its weights as good ones, or return to the last good ones and let the share be.

        Args:
            update: The update that ended the cycle.
            learner: Changed in place by a rollback.
            found: The policy's key figures in the validation towns.
            teacher: The teacher's.
        """
        before, judgement = self.state, judge(self.state, update, found, teacher, self.rules)
        if judgement.decision == "freeze":
            learner.restore(self.good.tensors, self.good.optimiser)
        else:
            self.good = Good.of(learner)
        self._stand(judgement.state)
        return told(self.rules, before, judgement, self.score)

    def restore(self, state: AnnealState, good: Good, scripted: Arrays) -> None:
        """Go on from a checkpoint."""
        self.good = good
        self._stand(state)
        self.drivers.restore(scripted, ratio_at(self.rules, state.step))

    def _stand(self, state: AnnealState) -> None:
        self.state, self.drivers.ratio = state, ratio_at(self.rules, state.step)
