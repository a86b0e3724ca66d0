"""Paired differences, one per town: their mean, its interval, and how surely it lies below a bound."""

from functools import lru_cache
from math import sqrt
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Method = Literal["t", "sign_flip"]

FLIPS = 20_000


class Pairs(NamedTuple):
    """Samples of equal length, one row per criterion.

    `values` is float64 [criteria, towns], of which more is better; `steps` [criteria] is the least that one town can
    lose at once, 0 where every town differs anyhow.
    """

    values: Floats
    steps: Floats

    @property
    def towns(self) -> int:
        """Length of each sample."""
        return int(self.values.shape[1])

    def first(self, towns: int) -> "Pairs":
        """The samples of the first towns alone, as an earlier look saw them."""
        return Pairs(self.values[:, :towns], self.steps)


class Reach(NamedTuple):
    """Mean of each row, and the interval around it, float64 [criteria] each; an end may be infinite."""

    mean: Floats
    low: Floats
    high: Floats


def reach(pairs: Pairs, level: float, method: Method) -> Reach:
    """The interval whose either end is passed by the true mean with a chance of at most `level`.

    Where no town of a sample differs from another, that is no proof that none ever would: a loss of one step in a town
    is missed by n towns with chance `level` if it comes to `1 - level ** (1 / n)` of all towns, and the interval
    reaches down as far as that (Clopper and Pearson, 1934, for no event in n).

    Args:
        pairs: The samples; at least two towns.
        level: One-sided level of each end.
        method: Student's t, or flips of the differences' signs, which need no normal distribution.
    """
    mean = pairs.values.mean(axis=1)
    if method == "t":
        half = _t_quantile(level, pairs.towns) * errors(pairs)
        low, high = mean - half, mean + half
    else:
        low = np.array([_flipped_low(row, level) for row in pairs.values])
        high = -np.array([_flipped_low(-row, level) for row in pairs.values])
    alike = np.ptp(pairs.values, axis=1) == 0.0
    unseen = pairs.steps * (1.0 - level ** (1.0 / pairs.towns))
    return Reach(mean, np.where(alike, mean - unseen, low), np.where(alike, mean, high))


def errors(pairs: Pairs) -> Floats:
    """Standard error of each row's mean."""
    error: Floats = pairs.values.std(axis=1, ddof=1) / sqrt(pairs.towns)
    return error


def chance_above(pairs: Pairs, bounds: Floats, method: Method) -> Floats:
    """The chance to see rows as low as these if the true mean were at `bounds` [criteria]; small where it is below."""
    from scipy.special import stdtr

    gap = pairs.values.mean(axis=1) - bounds
    error = errors(pairs)
    alike = error == 0.0
    if method == "sign_flip":
        chance = np.array([_flipped_chance(row) for row in pairs.values - bounds[:, None]])
    else:
        chance = stdtr(pairs.towns - 1, np.divide(gap, error, out=np.zeros_like(gap), where=~alike))
    found: Floats = np.where(alike, np.where(gap < 0.0, 0.0, 1.0), chance)
    return found


def chance_to_pass(pairs: Pairs, bounds: Floats, fraction: float, final_level: float) -> Floats:
    """The chance of each row to pass its bound at the last look, should mean and spread stay as they are.

    Args:
        pairs: The samples at an earlier look.
        bounds: What the mean must exceed [criteria].
        fraction: The share of the largest sample that this look has, below 1.
        final_level: One-sided level of the last look.

    Source: conditional power under the current trend, Lan and Wittes, Biometrics 44 (1988).
    """
    from scipy.special import ndtr, ndtri

    gap, error = pairs.values.mean(axis=1) - bounds, errors(pairs)
    score = np.divide(gap, error, out=np.where(gap >= 0.0, np.inf, -np.inf), where=error > 0.0)
    # With B = Z sqrt(t), the drift is B / t, so that the walk is expected to end at B / t = Z / sqrt(t).
    chance: Floats = ndtr((score / sqrt(fraction) + ndtri(final_level)) / sqrt(1.0 - fraction))
    return chance


@lru_cache(maxsize=1024)
def _t_quantile(level: float, towns: int) -> float:
    from scipy.special import stdtrit

    return -float(stdtrit(towns - 1, level))


@lru_cache(maxsize=16)
def _signs(towns: int) -> Floats:
    flips = np.random.default_rng(towns).integers(0, 2, (FLIPS, towns), np.int8)
    return 2.0 * flips - 1.0


def _flipped_low(row: Floats, level: float) -> float:
    """The least mean that is not refused: each flip refuses all means above one value, so that it is a quantile."""
    signs, mean = _signs(row.size), row.mean()
    weight = 1.0 - signs.mean(axis=1)
    values = mean - signs @ row / row.size
    thresholds = np.divide(values, weight, out=np.full(FLIPS, -np.inf), where=weight > 0.0)
    allowed = int(level * (FLIPS + 1))
    return float(np.partition(thresholds, allowed - 1)[allowed - 1]) if allowed >= 1 else -np.inf


def _flipped_chance(row: Floats) -> float:
    flipped = _signs(row.size) @ row / row.size
    return float((1 + np.count_nonzero(flipped <= row.mean() + 1e-12)) / (FLIPS + 1))
