"""The report card of a cloned policy: accuracy on held-out decisions, beside what a constant guess would get."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from townlet_core.errors import DataError
from townlet_core.policy.decisions import Deck, Hand

FROZEN = ConfigDict(extra="forbid", frozen=True)


class EpochPoint(BaseModel):
    """One epoch of the training curve; losses are per decision, `value_loss` in squared standard deviations."""

    model_config = FROZEN
    epoch: int
    loss: float
    value_loss: float
    validation_loss: float
    accuracy: float
    """On validation episodes."""


class ScenarioScore(BaseModel):
    """How well the clone agrees with the teacher on one scenario's held-out decisions."""

    model_config = FROZEN
    decisions: int
    accuracy: float
    majority_share: float


class ActionScore(BaseModel):
    """One action: its share of the held-out decisions, and how much of it the clone gets right.

    `recall` and `precision` are None where the teacher never chose it or the clone never predicted it.
    """

    model_config = FROZEN
    decisions: int
    share: float
    recall: float | None
    precision: float | None


class CloningReport(BaseModel):
    """Accuracy over decisions of held-out episodes, overall, per scenario and per action, and the training curve.

    A decision is a tick whose mask leaves more than one choice; forced ticks never count. `majority_share` is the
    accuracy of always guessing the most frequent action.
    """

    model_config = FROZEN
    accuracy: float
    majority_share: float
    majority_action: str
    train_decisions: int
    validation_decisions: int
    held_decisions: int
    value_explained: float | None
    """Share of the variance of held-out returns that the value head foretells; None where they do not vary."""
    scenarios: dict[str, ScenarioScore]
    actions: dict[str, ActionScore]
    confusion: tuple[tuple[int, ...], ...]
    """Row: the teacher's choice; column: the clone's; both in action order."""
    curve: tuple[EpochPoint, ...]
    best_epoch: int


class Prediction(NamedTuple):
    """What a clone makes of n observations: the actions it chooses, int64 [n], and the returns it expects, [n]."""

    actions: NDArray[np.int64]
    returns: NDArray[np.float64]


class Course(NamedTuple):
    """How a clone was trained: the epochs, the one that was kept, and how many decisions taught and validated it."""

    curve: tuple[EpochPoint, ...]
    best_epoch: int
    train_decisions: int
    validation_decisions: int


def score(
    predict: Callable[[Hand], Prediction],
    held: Deck,
    course: Course,
) -> CloningReport:
    """Score greedy predictions on held-out decisions.

    Args:
        predict: The clone's choices for a hand, and the returns it expects.
        held: The held-out decisions.
        course: How it was trained.

    Raises:
        DataError: There are no held-out decisions.
    """
    actions, names = held.source.actions, held.source.scenarios
    tables = np.zeros((len(names), len(actions), len(actions)), np.int64)
    errors, returns = [np.zeros(0)], [np.zeros(0)]
    for hand in held.pools():
        guess = predict(hand)
        scenario = (hand.scenario[:, None] == np.array(names)).argmax(axis=1)
        np.add.at(tables, (scenario, hand.expert, guess.actions), 1)
        errors.append(hand.returns - guess.returns)
        returns.append(hand.returns.astype(np.float64))
    confusion = tables.sum(axis=0)
    if not confusion.any():
        raise DataError("decisions: the held-out side is empty; raise holdout_share or capture more towns")
    overall = _scenario_score(confusion)
    return CloningReport(
        accuracy=overall.accuracy,
        majority_share=overall.majority_share,
        majority_action=actions[int(confusion.sum(axis=1).argmax())],
        train_decisions=course.train_decisions,
        validation_decisions=course.validation_decisions,
        held_decisions=overall.decisions,
        scenarios={name: _scenario_score(table) for name, table in zip(names, tables, strict=True) if table.any()},
        actions={name: _action_score(confusion, index) for index, name in enumerate(actions)},
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        curve=course.curve,
        best_epoch=course.best_epoch,
        value_explained=_explained(np.concatenate(errors), np.concatenate(returns)),
    )


def _explained(errors: NDArray[np.float64], returns: NDArray[np.float64]) -> float | None:
    spread = float(returns.var())
    return 1.0 - float(np.square(errors).mean()) / spread if spread > 0 else None


def _scenario_score(confusion: NDArray[np.int64]) -> ScenarioScore:
    total = int(confusion.sum())
    majority = int(confusion.sum(axis=1).max())
    return ScenarioScore(decisions=total, accuracy=float(np.trace(confusion)) / total, majority_share=majority / total)


def _action_score(confusion: NDArray[np.int64], index: int) -> ActionScore:
    right, chosen = int(confusion[index, index]), int(confusion[index].sum())
    guessed, total = int(confusion[:, index].sum()), int(confusion.sum())
    return ActionScore(
        decisions=chosen,
        share=chosen / total,
        recall=right / chosen if chosen else None,
        precision=right / guessed if guessed else None,
    )
