"""The report card of a cloned policy: accuracy on held-out decisions, beside what a constant guess would get."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from townlet_core.policy.decisions import Deck, Hand

FROZEN = ConfigDict(extra="forbid", frozen=True)


class EpochPoint(BaseModel):
    """One epoch of the training curve; losses are per decision, `value_loss` in squared standard deviations."""

    model_config = FROZEN
    epoch: int
    loss: float
    value_loss: float
    held_loss: float
    accuracy: float


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
    held_decisions: int
    scenarios: dict[str, ScenarioScore]
    actions: dict[str, ActionScore]
    confusion: tuple[tuple[int, ...], ...]
    """Row: the teacher's choice; column: the clone's; both in action order."""
    curve: tuple[EpochPoint, ...]
    best_epoch: int


def score(
    predict: Callable[[Hand], NDArray[np.int64]],
    held: Deck,
    curve: Iterable[EpochPoint],
    best_epoch: int,
    train_decisions: int,
) -> CloningReport:
    """Score greedy predictions on held-out decisions.

    Args:
        predict: The clone's choices for a hand, int64 [n].
        held: The held-out decisions.
        curve: The epochs so far.
        best_epoch: The epoch whose weights predict.
        train_decisions: How many decisions taught it.
    """
    actions, names = held.source.actions, held.source.scenarios
    tables = np.zeros((len(names), len(actions), len(actions)), np.int64)
    for hand in held.pools():
        scenario = (hand.scenario[:, None] == np.array(names)).argmax(axis=1)
        np.add.at(tables, (scenario, hand.expert, predict(hand)), 1)
    confusion = tables.sum(axis=0)
    overall = _scenario_score(confusion)
    return CloningReport(
        accuracy=overall.accuracy,
        majority_share=overall.majority_share,
        majority_action=actions[int(confusion.sum(axis=1).argmax())],
        train_decisions=train_decisions,
        held_decisions=overall.decisions,
        scenarios={name: _scenario_score(table) for name, table in zip(names, tables, strict=True) if table.any()},
        actions={name: _action_score(confusion, index) for index, name in enumerate(actions)},
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
        curve=tuple(curve),
        best_epoch=best_epoch,
    )


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
