"""One update: several passes over a rollout's decisions, each in minibatches of whole stretches of lives."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from townlet_core.config.training import ImprovementRules
from townlet_core.config.training_modes import Ramp
from townlet_core.errors import DataError
from townlet_core.policy.network import PolicyNetwork
from townlet_core.policy.ppo.advantages import estimate_advantages, standardised
from townlet_core.policy.ppo.experience import Experience
from townlet_core.policy.ppo.lessons import Tutor
from townlet_core.policy.ppo.losses import clipped_surrogate, entropies, taken_log_probs, value_error
from townlet_core.policy.ppo.moments import restore_optimiser
from townlet_core.policy.stretches import Stretches, lives_cut


class NonFiniteTerm(DataError):
    """A term of the objective is no finite number any more; nothing was changed by the minibatch that met it."""

    def __init__(self, place: str, term: str, kept: Path | None = None) -> None:
        good = f"the last good checkpoint is {kept}" if kept else "no checkpoint was written yet"
        super().__init__(
            f"training: {place}: the {term} is not finite ({good}); a lower learning_rate or a smaller clip would help"
        )
        self.place, self.term = place, term

    def keeping(self, kept: Path | None) -> "NonFiniteTerm":
        """The same error, told by someone who knows which checkpoint is the last good one."""
        return NonFiniteTerm(self.place, self.term, kept)


class Pace(NamedTuple):
    """Where in the training an update stands, and what the schedules say there."""

    update: int
    learning_rate: float
    entropy_weight: float
    critic_only: bool


class MinibatchFigures(NamedTuple):
    """What one minibatch measured; `rows` weighs it in means, `imitated` the loss of imitation."""

    rows: int
    policy: float
    value: float
    entropy: float
    total: float
    divergence: float
    clipped: float
    gradient: float
    advantage_deviation: float
    imitated: int = 0
    imitation: float = 0.0


class UpdateFigures(NamedTuple):
    """What an update measured: every minibatch that was stepped on, the advantages and returns, the passes begun."""

    minibatches: list[MinibatchFigures]
    advantages: NDArray[np.float64]
    returns: NDArray[np.float64]
    passes: int
    stopped_early: bool


def ramp_at(ramp: Ramp, update: int, updates: int) -> float:
    """A ramp's figure at an update, counted from 1: its start at the first, its end at the last."""
    done = (update - 1) / max(1, updates - 1)
    if ramp.shape == "cosine":
        done = (1.0 - math.cos(math.pi * done)) / 2.0
    return ramp.start + (ramp.end - ramp.start) * done


def pace_at(rules: ImprovementRules, update: int) -> Pace:
    """What the schedules say at an update, counted from 1."""
    rate, weight = (ramp_at(ramp, update, rules.updates) for ramp in (rules.learning_rate, rules.entropy))
    return Pace(update, rate, weight, update <= rules.critic_warmup)


class Learner:
    """A network, its optimiser, and the stream that shuffles."""

    def __init__(
        self, network: PolicyNetwork, rules: ImprovementRules, discount: float, shuffles: np.random.Generator
    ) -> None:
        """Wrap a network that is to learn.

        Args:
            network: Changed in place by `update`.
            rules: The objective, its weights and the number of passes.
            discount: Factor per tick.
            shuffles: Decides the order of minibatches.
        """
        self.network, self._rules, self._discount, self._shuffles = network, rules, discount, shuffles
        self.optimizer = torch.optim.Adam(network.parameters(), lr=rules.learning_rate.start, eps=1e-5)

    def update(self, experience: Experience, pace: Pace, tutor: Tutor | None = None) -> UpdateFigures:
        """Learn from a rollout.

        Args:
            experience: The policy's own decisions.
            pace: Where in the training the update stands.
            tutor: Gives each minibatch decisions of others to learn from beside its own; they teach the policy alone.

        Raises:
            NonFiniteTerm: A term or the gradient stopped being a number; says in which update, pass and minibatch.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = pace.learning_rate
        advantages = estimate_advantages(experience.spans, self._discount, self._rules.trace)
        returns = advantages + experience.spans.value
        batch = _Batch.of(experience, advantages, returns, self.network)
        longest = self._rules.sequence if self.network.size.recurrent else 1
        # The context may have been cut in mid-life, perhaps in a tick that left no choice: the memory itself tells.
        afresh = (experience.decided.memory == 0).all(axis=1)
        runs = lives_cut(batch.row, batch.following, afresh, longest)
        figures: list[MinibatchFigures] = []
        for number in range(1, self._rules.epochs + 1):
            for dealt in runs.shuffled(self._shuffles).minibatches(self._rules.minibatch):
                place = f"update {pace.update}, epoch {number}, minibatch {len(figures) + 1}"
                found = self._learn(batch.take(dealt), pace, place, tutor, may_stop=bool(figures))
                if found is None:
                    return UpdateFigures(figures, advantages, returns, number, stopped_early=True)
                figures.append(found)
        return UpdateFigures(figures, advantages, returns, self._rules.epochs, stopped_early=False)

    def restore(self, tensors: Mapping[str, NDArray[np.float32]], optimiser: Mapping[str, NDArray[Any]]) -> None:
        """Go on with saved weights and moments (`optimiser_arrays`); the network stays the same object."""
        self.network.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()})
        restore_optimiser(self.optimizer, optimiser)

    def _learn(
        self, batch: "_Minibatch", pace: Pace, place: str, tutor: Tutor | None, *, may_stop: bool
    ) -> MinibatchFigures | None:
        rules = self._rules
        logits, values = self.network.unroll(*batch.inputs)
        log_prob = taken_log_probs(logits, batch.action)
        surrogate = clipped_surrogate(log_prob, batch.log_prob, batch.advantage, rules.clip)
        if may_stop and 0.0 < rules.target_kl < surrogate.divergence.item():
            return None
        error = value_error(values, batch.value, batch.target, rules.value_clip)
        entropy = entropies(logits).mean()
        moving = 0.0 if pace.critic_only else 1.0
        taught = self._taught(tutor, len(batch.action)) if moving else _UNTAUGHT
        own = (1.0 - taught.share) * (surrogate.loss - pace.entropy_weight * entropy)
        total = moving * (own + taught.share * taught.loss) + rules.value_weight * error
        terms = (("policy loss", surrogate.loss), ("value loss", error), ("entropy", entropy))
        for name, term in (*terms, ("imitation loss", taught.loss)):
            require_finite(term, name, place)
        gradient = self._step(total, pace, place)
        return MinibatchFigures(
            rows=len(batch.action),
            policy=surrogate.loss.item(),
            value=error.item(),
            entropy=entropy.item(),
            total=total.item(),
            divergence=surrogate.divergence.item(),
            clipped=surrogate.clipped.item(),
            gradient=gradient,
            advantage_deviation=float(batch.raw_advantage.std(unbiased=False)),
            imitated=taught.rows,
            imitation=taught.loss.item(),
        )

    def _taught(self, tutor: Tutor | None, own: int) -> "_Taught":
        """What a lesson beside `own` decisions asks for; each decision counts once, the tutor's `strength` times."""
        lesson = tutor.lesson(self.network) if tutor is not None else None
        if tutor is None or lesson is None:
            return _UNTAUGHT
        rows = len(lesson.action)
        share = tutor.strength * rows / (own + tutor.strength * rows)
        return _Taught(rows, share, tutor.imitation(self.network, lesson).loss)

    def _step(self, total: Tensor, pace: Pace, place: str) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if pace.critic_only:
            for name, parameter in self.network.named_parameters():
                if not name.startswith("value."):
                    parameter.grad = None
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._rules.max_grad_norm)
        require_finite(norm, "gradient", place)
        self.optimizer.step()
        return norm.item()


class _Taught(NamedTuple):
    rows: int
    share: float
    loss: Tensor


_UNTAUGHT = _Taught(0, 0.0, torch.zeros(()))


class _Minibatch(NamedTuple):
    inputs: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    action: Tensor
    log_prob: Tensor
    advantage: Tensor
    raw_advantage: Tensor
    value: Tensor
    target: Tensor


class _Batch(NamedTuple):
    """A rollout as tensors; values and targets are standardised as the network gives them."""

    row: NDArray[np.int64]
    following: NDArray[np.int64]
    observed: tuple[Tensor, Tensor, Tensor]
    memory: Tensor
    learnt: tuple[Tensor, ...]

    @classmethod
    def of(
        cls,
        experience: Experience,
        advantages: NDArray[np.float64],
        returns: NDArray[np.float64],
        network: PolicyNetwork,
    ) -> "_Batch":
        decided = experience.decided
        mean, scale = network.value_scale.tolist()
        columns = (standardised(advantages), advantages, (decided.value - mean) / scale, (returns - mean) / scale)
        cells, features, mask, memory, action, log_prob = (
            torch.from_numpy(column) for column in (*decided.seen, decided.memory, decided.action, decided.log_prob)
        )
        floats = tuple(torch.from_numpy(column.astype(np.float32)) for column in columns)
        following = experience.spans.following
        return cls(decided.row, following, (cells, features, mask), memory, (action, log_prob, *floats))

    def take(self, dealt: Stretches) -> _Minibatch:
        index, first = torch.from_numpy(dealt.order), torch.from_numpy(dealt.begins)
        cells, features, mask = (column[index] for column in self.observed)
        inputs = (cells, features, mask, first, self.memory[index[first]])
        return _Minibatch(inputs, *(column[index] for column in self.learnt))


def require_finite(term: Tensor, name: str, place: str) -> None:
    """Raise NonFiniteTerm where a term of the objective is no finite number."""
    if not bool(torch.isfinite(term)):
        raise NonFiniteTerm(place, name)
