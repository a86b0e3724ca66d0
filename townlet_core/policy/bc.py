"""Behaviour cloning: learn the teacher's choices from decisions, and say honestly how well on held-out episodes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from townlet_core.config.training import TrainingProfile
from townlet_core.errors import DataError
from townlet_core.policy.decisions import DecisionSource, Deck, Hand
from townlet_core.policy.network import NetworkSize, PolicyNetwork, seeded_network
from townlet_core.policy.report import CloningReport, Course, EpochPoint, Prediction, score
from townlet_core.policy.threads import single_thread

MIN_FEATURE_SCALE = 0.05
"""A feature that hardly moves in training must not explode when it moves in the town."""

UNSEEN = ("episode_progress",)
"""Features that tell about the recording, not the town. In a capture of one day they are a clock; a clone that reads
them would lose its sense of time in a longer run."""

UNSEEN_SCALE = 1e9
"""Divides an unseen feature into nothing."""

Progress = Callable[[EpochPoint], None]


class NonFiniteLoss(DataError):
    """Training met a loss that is not finite; `best` holds the network of the best epoch before, if there was one."""

    def __init__(self, place: str, best: PolicyNetwork | None, kept: Path | None = None) -> None:
        good = f"; the best weights so far are kept in {kept}" if kept else "" if best else "; nothing was learnt yet"
        super().__init__(f"training: {place}: the loss is not finite{good}; a lower learning_rate would help")
        self.best, self._place = best, place

    def keeping(self, kept: Path | None) -> "NonFiniteLoss":
        """The same error, told by someone who has kept the best network in a folder."""
        return NonFiniteLoss(self._place, self.best, kept)


class BCResult(NamedTuple):
    """The cloned network (the best epoch's weights) and its report card."""

    network: PolicyNetwork
    report: CloningReport


class Survey(NamedTuple):
    """What one pass over the training decisions tells: sizes, class counts and scales."""

    size: tuple[int, int, int]
    counts: NDArray[np.int64]
    feature_mean: NDArray[np.float64]
    feature_scale: NDArray[np.float64]
    return_mean: float
    return_scale: float


class _Best(NamedTuple):
    epoch: int
    loss: float
    weights: dict[str, Tensor]


def train_bc(
    train: DecisionSource,
    validation: DecisionSource,
    holdout: DecisionSource,
    profile: TrainingProfile,
    *,
    progress: Progress | None = None,
) -> BCResult:
    """Clone the teacher; the same data and profile give the same weights on the same machine.

    The loss is the cross-entropy over legal actions, weighted by share^-class_balance, plus value_weight × the squared
    error of the value head on standardised returns. Training stops when the validation loss has not
    improved for `patience` epochs.

    Args:
        train: Decisions to learn from.
        validation: Decisions of other episodes, which say when to stop and which epoch to keep.
        holdout: Decisions of still other episodes, which nothing is chosen by; the report is about them.
        profile: Seed, epochs, sizes and rates.
        progress: Called after each epoch.

    Raises:
        DataError: No decisions, or decisions that must not be learnt from.
        NonFiniteLoss: The loss stopped being a number; carries the best network so far.
    """
    with single_thread():
        deck, judge = Deck(train), Deck(validation)
        survey = survey_decisions(deck)
        network = _prepared(survey, profile)
        curve, best = _fit(network, deck, judge, survey, profile, progress)
        network.load_state_dict(best.weights)
        course = Course(tuple(curve), best.epoch, int(survey.counts.sum()), _size(judge))
        report = score(lambda hand: predict(network, hand), Deck(holdout), course)
        return BCResult(network.eval(), report)


def survey_decisions(deck: Deck) -> Survey:
    """Read the training decisions once and measure them.

    Raises:
        DataError: There are none, or they do not fit the action table.
    """
    names = [feature["name"] for feature in deck.source.layout["features"]]
    actions = len(deck.source.actions)
    counts, sums, size = np.zeros(actions, np.int64), np.zeros((2, len(names) + 1)), (0, 0, 0)
    for pool in deck.pools():
        size = (pool.cells.shape[1], pool.features.shape[1], pool.mask.shape[1])
        if size[1:] != (len(names), actions):
            raise DataError(
                f"decisions: {size[1]} features and {size[2]} actions; the layout has {len(names)} and {actions}"
            )
        table = np.column_stack((pool.features, pool.returns)).astype(np.float64)
        sums += np.stack((table.sum(axis=0), np.square(table).sum(axis=0)))
        counts += np.bincount(pool.expert, minlength=actions)
    rows = int(counts.sum())
    if not rows:
        raise DataError("decisions: the training side is empty; capture more towns or lower holdout_share")
    mean, square = sums / rows
    deviation = np.sqrt(np.maximum(square - np.square(mean), 0.0))
    scale = np.maximum(deviation[:-1], MIN_FEATURE_SCALE)
    scale[np.isin(names, UNSEEN)] = UNSEEN_SCALE
    return Survey(size, counts, mean[:-1], scale, float(mean[-1]), float(deviation[-1]) or 1.0)


def class_weights(counts: NDArray[np.int64], balance: float) -> NDArray[np.float32]:
    """Weights per class proportional to share^-balance, with mean 1 over the decisions; absent classes weigh 0."""
    share = counts / max(int(counts.sum()), 1)
    raw = np.zeros(counts.size)
    raw[share > 0] = share[share > 0] ** -balance
    weights: NDArray[np.float32] = (raw / (raw * share).sum()).astype(np.float32)
    return weights


def predict(network: PolicyNetwork, hand: Hand) -> Prediction:
    """The greedy legal choice for each row, and the return that the value head expects."""
    with torch.inference_mode():
        logits, values = _answer(network, hand)
    mean, scale = network.value_scale.tolist()
    return Prediction(np.asarray(logits.argmax(dim=1).numpy()), values.numpy().astype(np.float64) * scale + mean)


def _size(deck: Deck) -> int:
    return sum(hand.expert.size for hand in deck.pools())


def _prepared(survey: Survey, profile: TrainingProfile) -> PolicyNetwork:
    sizes = {"hidden": profile.hidden, "map_hidden": profile.map_hidden, "recurrent": profile.recurrent}
    size = NetworkSize(*survey.size, **sizes)
    network = seeded_network(size, profile.seed)
    network.feature_mean.copy_(torch.from_numpy(survey.feature_mean))
    network.feature_scale.copy_(torch.from_numpy(survey.feature_scale))
    network.value_scale.copy_(torch.tensor([survey.return_mean, survey.return_scale]))
    return network


def _fit(
    network: PolicyNetwork,
    deck: Deck,
    judge: Deck,
    survey: Survey,
    profile: TrainingProfile,
    progress: Progress | None,
) -> tuple[list[EpochPoint], _Best]:
    optimizer = torch.optim.AdamW(network.parameters(), lr=profile.learning_rate, weight_decay=profile.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, profile.epochs, profile.learning_rate / 20)
    weights = torch.from_numpy(class_weights(survey.counts, profile.class_balance))
    generator = np.random.default_rng(profile.seed)
    curve: list[EpochPoint] = []
    best: _Best | None = None
    for epoch in range(1, profile.epochs + 1):
        hands = deck.shuffled(profile.batch_size, generator, whole_lives=profile.recurrent > 0)
        losses = _epoch(network, optimizer, hands, weights, profile, epoch, best)
        validation_loss, accuracy = _judge(network, judge)
        curve.append(_point(epoch, losses, validation_loss, accuracy))
        if progress is not None:
            progress(curve[-1])
        if best is None or validation_loss < best.loss:
            best = _Best(
                epoch, validation_loss, {name: tensor.clone() for name, tensor in network.state_dict().items()}
            )
        if epoch - best.epoch >= profile.patience:
            break
        schedule.step()
    assert best is not None
    return curve, best


def _point(epoch: int, losses: tuple[float, float], validation_loss: float, accuracy: float) -> EpochPoint:
    loss, value_loss = losses
    return EpochPoint(epoch=epoch, loss=loss, value_loss=value_loss, validation_loss=validation_loss, accuracy=accuracy)


def _epoch(
    network: PolicyNetwork,
    optimizer: torch.optim.Optimizer,
    hands: Iterator[Hand],
    weights: Tensor,
    profile: TrainingProfile,
    epoch: int,
    best: _Best | None,
) -> tuple[float, float]:
    sums = np.zeros(2)
    rows = 0
    for number, hand in enumerate(hands):
        policy_loss, value_loss = _losses(network, hand, weights)
        loss = policy_loss + profile.value_weight * value_loss
        if not bool(torch.isfinite(loss)):
            raise NonFiniteLoss(f"epoch {epoch}, minibatch {number}", _restored(network, best))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        sums += np.array([policy_loss.item(), value_loss.item()]) * hand.expert.size
        rows += hand.expert.size
    return float(sums[0] / rows), float(sums[1] / rows)


def _losses(network: PolicyNetwork, hand: Hand, weights: Tensor) -> tuple[Tensor, Tensor]:
    expert, returns = torch.from_numpy(hand.expert), torch.from_numpy(np.ascontiguousarray(hand.returns))
    logits, values = _answer(network, hand)
    each = nn.functional.cross_entropy(logits, expert, reduction="none")
    target = (returns - network.value_scale[0]) / network.value_scale[1]
    return (each * weights[expert]).mean(), nn.functional.mse_loss(values, target)


def _judge(network: PolicyNetwork, judge: Deck) -> tuple[float, float]:
    loss, right, rows = 0.0, 0, 0
    with torch.inference_mode():
        for pool in judge.pools():
            expert = torch.from_numpy(pool.expert)
            logits, _ = _answer(network, pool)
            loss += nn.functional.cross_entropy(logits, expert, reduction="sum").item()
            right += int((logits.argmax(dim=1) == expert).sum())
            rows += expert.numel()
    if not rows:
        raise DataError("decisions: the validation side is empty; raise validation_share or capture more towns")
    return loss / rows, right / rows


def _restored(network: PolicyNetwork, best: _Best | None) -> PolicyNetwork | None:
    if best is None:
        return None
    network.load_state_dict(best.weights)
    return network


def _answer(network: PolicyNetwork, hand: Hand) -> tuple[Tensor, Tensor]:
    cells, features, mask, begins = (
        torch.from_numpy(np.ascontiguousarray(column)) for column in (hand.cells, hand.features, hand.mask, hand.begins)
    )
    return network.unroll(cells, features, mask, begins, network.blank(int(begins.sum())))
