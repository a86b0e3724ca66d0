"""Looks at a growing sample, and how much of the risk of error each of them may spend."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

NODES = 240
REACH = 8.5
"""Standard deviations beyond which the walk of a statistic is not followed; 1e-17 of it lies there."""


def spent(alpha: float, fractions: Sequence[float]) -> NDArray[np.float64]:
    """The risk spent up to each look, one-sided, for bounds of the O'Brien-Fleming type.

    Args:
        alpha: The whole risk.
        fractions: The share of the largest sample that each look has, rising to 1.

    Source: Lan and DeMets, Biometrika 70 (1983): `2 - 2 Phi(z(alpha / 2) / sqrt(t))`.
    """
    from scipy.special import ndtr, ndtri

    risk: NDArray[np.float64] = 2.0 * ndtr(ndtri(alpha / 2.0) / np.sqrt(np.asarray(fractions)))
    return risk


@lru_cache(maxsize=4096)
def boundaries(alpha: float, fractions: tuple[float, ...]) -> tuple[float, ...]:
    """The standard normal bound at each look: passing it anywhere has the chance `alpha` where there is nothing.

    The walk's density is carried from look to look by quadrature (Armitage, McPherson and Rowe, 1969), and each bound
    is where the look spends its share.
    """
    from scipy.special import ndtri

    shares = np.diff(spent(alpha, fractions), prepend=0.0)
    bounds = [-float(ndtri(shares[0]))]
    places, mass = _first_walk(fractions[0], bounds[0])
    for look in range(1, len(fractions)):
        gap = sqrt(fractions[look] - fractions[look - 1])
        crossing = _crossing(places, mass, gap, float(shares[look]), sqrt(fractions[look]))
        bounds.append(crossing / sqrt(fractions[look]))
        places, mass = _next_walk(places, mass, gap, -REACH * sqrt(fractions[look]), crossing)
    return tuple(bounds)


@lru_cache(maxsize=4096)
def levels(alpha: float, fractions: tuple[float, ...]) -> tuple[float, ...]:
    """The one-sided level at which each look tests, so that all looks together have the risk `alpha`."""
    from scipy.special import ndtr

    return tuple(float(ndtr(-bound)) for bound in boundaries(alpha, fractions))


def _nodes(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places, weights = np.polynomial.legendre.leggauss(NODES)
    return (low + high) / 2.0 + (high - low) / 2.0 * places, weights * (high - low) / 2.0


def _first_walk(fraction: float, bound: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    root = sqrt(fraction)
    places, weights = _nodes(-REACH * root, bound * root)
    return places, weights * _normal(places / root) / root


def _next_walk(
    before: NDArray[np.float64], mass: NDArray[np.float64], gap: float, low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places, weights = _nodes(low, high)
    density = _normal((places[:, None] - before[None, :]) / gap) @ mass / gap
    return places, weights * density


def _crossing(before: NDArray[np.float64], mass: NDArray[np.float64], gap: float, share: float, root: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import ndtr

    def excess(bound: float) -> float:
        return float(mass @ ndtr((before - bound) / gap)) - share

    return float(brentq(excess, -REACH * root, 2 * REACH * root, xtol=1e-12))


def _normal(values: NDArray[np.float64]) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-0.5 * values**2) / sqrt(2.0 * np.pi)
    return density
