"""Decisions that others took, and how a policy learns from them: by imitation, weighed by what came of each.

The weight of a stored decision is exp(advantage / temperature), bounded (Wang et al. 2018; Peng et al. 2019): what went
better than the critic expects is imitated more. A lesson without returns is imitated as it is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from townlet_core.config.training_modes import MixRules, ReplayRules
from townlet_core.errors import DataError
from townlet_core.policy.decisions import Deck, Hand
from townlet_core.policy.network import PolicyNetwork
from townlet_core.policy.ppo.experience import Shown
from townlet_core.policy.ppo.losses import taken_log_probs

STREAM = 2
"""Number of the random stream that deals stored decisions; drawing and shuffling have the first two."""


class Lesson(NamedTuple):
    """Decisions of others as tensors: inputs as `PolicyNetwork.unroll` takes them, the actions taken, int64 [n], and
    the standardised returns that followed, float32 [n], or None where they are not known.
    """

    inputs: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    action: Tensor
    returns: Tensor | None


class Imitation(NamedTuple):
    """What a network makes of a lesson: log-probabilities of its actions and standardised values, each with gradient
    [n], and the weights of the decisions, [n].
    """

    log_prob: Tensor
    value: Tensor
    weight: Tensor

    @property
    def loss(self) -> Tensor:
        """The weighted negative log-likelihood, a scalar tensor."""
        return -(self.weight * self.log_prob).mean()


class Tutor(Protocol):
    """Whoever gives lessons beside a policy's own experience."""

    @property
    def strength(self) -> float:
        """What one of its decisions weighs against one of the policy's own."""

    def lesson(self, network: PolicyNetwork) -> Lesson | None:
        """The next lesson for a minibatch; None where there is nothing to learn."""

    def imitation(self, network: PolicyNetwork, lesson: Lesson) -> Imitation:
        """What the network makes of a lesson."""


def advantage_weights(advantage: Tensor, rules: MixRules | ReplayRules) -> Tensor:
    """Weights exp(advantage / temperature), at most `largest_weight`; advantages in deviations of the return, [n]."""
    # The exponent is bounded before it is taken: an overflow would be a weight that is no number.
    ceiling = rules.temperature * float(np.log(rules.largest_weight))
    return torch.exp(advantage.clamp(max=ceiling) / rules.temperature)


def imitate(network: PolicyNetwork, lesson: Lesson, rules: MixRules | ReplayRules | None) -> Imitation:
    """Score a lesson; without rules, or without returns, every decision weighs 1."""
    logits, value = network.unroll(*lesson.inputs)
    log_prob = taken_log_probs(logits, lesson.action)
    if rules is None or lesson.returns is None:
        return Imitation(log_prob, value, torch.ones_like(log_prob))
    return Imitation(log_prob, value, advantage_weights(lesson.returns - value.detach(), rules))


def lesson_of(hand: Hand, network: PolicyNetwork) -> Lesson:
    """Stored decisions as a lesson for a network."""
    mean, scale = network.value_scale.tolist()
    cells, features, mask, begins, action = (
        torch.from_numpy(np.ascontiguousarray(column))
        for column in (hand.cells, hand.features, hand.mask, hand.begins, hand.expert)
    )
    returns = torch.from_numpy(((hand.returns - mean) / scale).astype(np.float32))
    return Lesson((cells, features, mask, begins, network.blank(int(begins.sum()))), action, returns)


class StoredDecisions:
    """Deals a dataset side for ever, pass after pass, each in an order of its own; knows its place to the decision."""

    def __init__(self, deck: Deck, rows: int, seed: int, *, whole_lives: bool) -> None:
        """Begin with the first pass.

        Args:
            deck: The side.
            rows: Decisions dealt together.
            seed: The training's seed.
            whole_lives: Keep the decisions of a life together, for a network that remembers.
        """
        self._deck, self._rows, self._seed, self._whole = deck, rows, seed, whole_lives
        self._place = np.zeros(2, np.int64)
        self._hands = self._pass()

    def deal(self) -> Hand:
        """The next decisions.

        Raises:
            DataError: The side is empty, or a decision must not be learnt from.
        """
        hand = next(self._hands, None)
        if hand is None:
            self._place += np.array([1, -self._place[1]])
            self._hands = self._pass()
            hand = next(self._hands, None)
        if hand is None:
            raise DataError("decisions: the training side is empty; capture more towns or lower holdout_share")
        self._place[1] += 1
        return hand

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What outlives an update, by name."""
        return {"place": self._place}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `arrays` gave."""
        self._place[...] = arrays["place"]
        self._hands = self._pass()
        for _ in range(int(self._place[1])):
            next(self._hands)

    def _pass(self) -> Iterator[Hand]:
        stream = np.random.default_rng([self._seed, STREAM, int(self._place[0])])
        return self._deck.shuffled(self._rows, stream, whole_lives=self._whole)


class StoredTutor:
    """Teaches from stored decisions beside the policy's own life, in the share that the rules say."""

    strength = 1.0

    def __init__(self, stored: StoredDecisions, rules: MixRules) -> None:
        self._stored, self._rules = stored, rules

    def lesson(self, network: PolicyNetwork) -> Lesson:
        """The next stored decisions."""
        return lesson_of(self._stored.deal(), network)

    def imitation(self, network: PolicyNetwork, lesson: Lesson) -> Imitation:
        """They weigh by what came of them."""
        return imitate(network, lesson, self._rules)


def stored_rows(minibatch: int, share: float) -> int:
    """How many stored decisions make `share` of what a minibatch and they are together; at least one."""
    return max(1, round(minibatch * share / (1.0 - share)))


class ShownTutor:
    """Teaches what the teacher was seen doing in a rollout, dealt evenly over the minibatches of a pass."""

    def __init__(self, shown: Shown, strength: float, minibatches: int, shuffles: np.random.Generator) -> None:
        """Deal `shown` in the order that the stream decides, over so many minibatches, again and again."""
        self._shown, self.strength = shown, strength
        self._order = shuffles.permutation(shown.size)
        self._rows, self._next = -(-shown.size // minibatches), 0

    def lesson(self, network: PolicyNetwork) -> Lesson | None:
        """The next few decisions; None where the teacher took none."""
        if not self._order.size:
            return None
        chosen = self._order[self._next : self._next + self._rows]
        self._next = (self._next + self._rows) if self._next + self._rows < self._order.size else 0
        shown = self._shown.take(chosen)
        cells, features, mask, memory, action = (torch.from_numpy(column) for column in shown)
        return Lesson((cells, features, mask, torch.ones(len(action), dtype=torch.bool), memory), action, None)

    def imitation(self, network: PolicyNetwork, lesson: Lesson) -> Imitation:
        """All of them weigh alike."""
        return imitate(network, lesson, None)
