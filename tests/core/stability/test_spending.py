"""The bounds of the looks are those that are published, and together they spend exactly the risk that was allowed."""

import numpy as np
import pytest

from townlet_core.stability.spending import boundaries, levels, spent


def looks(count: int) -> tuple[float, ...]:
    return tuple((index + 1) / count for index in range(count))


@pytest.mark.parametrize(
    ("count", "published"),
    [
        # One-sided 0.025 at equal looks: Reboussin, DeMets, Kim and Lan, Controlled Clinical Trials 21 (2000).
        (1, (1.9600,)),
        (2, (2.9626, 1.9686)),
        (3, (3.7103, 2.5114, 1.9930)),
        (4, (4.3326, 2.9631, 2.3590, 2.0141)),
        (5, (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)),
    ],
)
def test_the_bounds_are_the_published_ones(count: int, published: tuple[float, ...]) -> None:
    np.testing.assert_allclose(boundaries(0.025, looks(count)), published, atol=2e-4)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_walks_without_a_drift_pass_a_bound_as_often_as_allowed(alpha: float) -> None:
    fractions = (0.25, 0.5, 1.0)
    steps = np.random.default_rng(5).normal(size=(200_000, 3)) * np.sqrt(np.diff(fractions, prepend=0.0))
    scores = steps.cumsum(axis=1) / np.sqrt(fractions)
    passed = (scores > boundaries(alpha, fractions)).any(axis=1).mean()
    assert passed == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 200_000))


def test_the_risk_is_spent_slowly_at_first_and_wholly_in_the_end() -> None:
    risk = spent(0.05, looks(4))
    assert risk[0] < 1e-3
    assert risk[-1] == pytest.approx(0.05)
    assert list(levels(0.05, looks(4))) == sorted(levels(0.05, looks(4)))


def test_a_smaller_risk_is_stricter_at_every_look_however_small() -> None:
    strict, lax = boundaries(1e-4, looks(3)), boundaries(0.05, looks(3))
    assert all(a > b for a, b in zip(strict, lax, strict=True))
