"""What a choice was worth: generalised advantage estimation over decisions that last several ticks each.

Between two decisions of a citizen lie forced ticks. The time between is one step of a semi-Markov decision process
(Sutton, Precup and Singh 1999): its reward is the discounted sum over its ticks, and what follows is discounted by
``discount ** ticks``. Advantages are those of Schulman et al. 2016, with the trace counted in decisions.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spans(NamedTuple):
    """Decisions in order of time, each with the span of ticks until the same life's next one; every array is [n].

    Attributes:
        reward: discounted rewards of the span.
        ticks: its length.
        value: what the critic expected when the decision was taken.
        following: index of the next decision of the same life, always larger; -1 where none is here.
        tail: where nothing follows, the value of the state that the span led to: 0 at the end of a life, the critic's
            guess where time was up or the next decision was not recorded. Read nowhere else.
    """

    reward: NDArray[np.float64]
    ticks: NDArray[np.int64]
    value: NDArray[np.float64]
    following: NDArray[np.int64]
    tail: NDArray[np.float64]


def estimate_advantages(spans: Spans, discount: float, trace: float) -> NDArray[np.float64]:
    """The advantage of each decision over what the critic expected, float64 [n].

    Args:
        spans: Decisions and what came of them.
        discount: Factor per tick.
        trace: The lambda of the estimator, per decision: 0 trusts the critic, 1 the rewards.
    """
    last = spans.following < 0
    ahead = np.where(last, spans.tail, spans.value[spans.following])
    fade = discount**spans.ticks
    surprise = (spans.reward + fade * ahead - spans.value).tolist()
    carry, following = (trace * fade).tolist(), spans.following.tolist()
    for index in range(len(surprise) - 1, -1, -1):
        if following[index] >= 0:
            surprise[index] += carry[index] * surprise[following[index]]
    return np.array(surprise, np.float64)


def standardised(advantages: NDArray[np.float64]) -> NDArray[np.float64]:
    """Advantages with mean 0 and deviation 1; where all are alike they become 0."""
    centred = advantages - advantages.mean()
    scaled: NDArray[np.float64] = centred / (centred.std() + 1e-8)
    return scaled
