"""What a decision led to: the discounted rewards until the same citizen decides again, and until its end."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spans(NamedTuple):
    """The rows of an episode, ordered by place, then tick; every array is [rows].

    Attributes:
        decision: whether the row is a decision.
        terminated: whether the life ended in this tick.
        reward: reward of the tick.
        agent: the place in town.
        person: whose life it is.
    """

    decision: NDArray[np.bool_]
    terminated: NDArray[np.bool_]
    reward: NDArray[Any]
    agent: NDArray[Any]
    person: NDArray[Any]


class Outcome(NamedTuple):
    """Per decision, in row order: the discounted rewards until the next decision (float32), and for how many ticks."""

    reward: NDArray[np.float32]
    ticks: NDArray[np.int32]


def return_to_next(spans: Spans, discount: float) -> Outcome:
    """Discounted rewards from each decision up to, and without, the citizen's next decision.

    For a decision at row t with the next one of the same citizen at row u, it is the sum over k from t to u - 1 of
    discount ** (k - t) * reward[k], with u - t ticks. The citizen's last row and the end of a life close a span as a
    next decision does: the reward of the tick in which the life ends counts, later ones do not.
    """
    bounds = np.flatnonzero(spans.decision | _fresh(spans))
    if not len(bounds):
        return Outcome(np.zeros(0, np.float32), np.zeros(0, np.int32))
    ticks = np.diff(bounds, append=len(spans.reward))
    age = np.arange(len(spans.reward)) - np.repeat(bounds, ticks)
    sums = np.add.reduceat(spans.reward.astype(np.float64) * discount**age, bounds)
    wanted = spans.decision[bounds]
    return Outcome(sums[wanted].astype(np.float32), ticks[wanted].astype(np.int32))


def return_to_end(spans: Spans, discount: float) -> NDArray[np.float32]:
    """Discounted rewards from each decision to the end of the citizen's life or of its rows, float32 [decisions]."""
    from scipy.signal import lfilter  # a second to load, and most commands never need it

    lives = np.split(spans.reward.astype(np.float64), np.flatnonzero(_fresh(spans))[1:])
    # Backwards in time the return is a first-order filter: what is there now plus discount times what came before.
    returns = [lfilter([1.0], [1.0, -discount], life[::-1])[::-1] for life in lives]
    return np.concatenate(returns).astype(np.float32)[spans.decision]


def first_decisions(spans: Spans, cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which decisions are the first of a life or behind a hard cut of its context, bool [decisions].

    Args:
        spans: The rows.
        cut: In which of them the context is cut, [rows]; a tick that leaves no choice cuts it as well.
    """
    contexts = (_fresh(spans) | cut).cumsum()[spans.decision]
    return np.diff(contexts, prepend=0) > 0


def _fresh(spans: Spans) -> NDArray[np.bool_]:
    """Rows with which a place's rows or a life begin; nothing that one life earns counts for another."""
    fresh = np.ones(len(spans.agent), np.bool_)
    fresh[1:] = (spans.agent[1:] != spans.agent[:-1]) | (spans.person[1:] != spans.person[:-1]) | spans.terminated[:-1]
    return fresh
