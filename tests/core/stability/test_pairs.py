"""Intervals hold what they promise, by either method, and a sample without any difference proves only so much."""

import numpy as np
import pytest

from townlet_core.stability.pairs import Method, Pairs, chance_above, chance_to_pass, reach


def rows(values: np.ndarray, step: float = 0.0) -> Pairs:
    return Pairs(np.atleast_2d(values), np.full(len(np.atleast_2d(values)), step))


@pytest.mark.parametrize("method", ["t", "sign_flip"])
def test_the_true_mean_lies_below_the_lower_end_as_seldom_as_promised(method: Method) -> None:
    samples = np.random.default_rng(3).normal(1.0, 2.0, (600, 24))
    missed = (reach(rows(samples), 0.05, method).low > 1.0).mean()
    assert missed == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("method", ["t", "sign_flip"])
def test_an_end_and_the_chance_of_its_bound_agree(method: Method) -> None:
    """A bound at the lower end of the mirrored sample is exactly as unlikely as the level says."""
    sample = rows(np.random.default_rng(4).normal(0.3, 1.0, (5, 24)))
    high = reach(sample, 0.01, method).high
    np.testing.assert_allclose(chance_above(sample, high, method), 0.01, atol=3e-4)


def test_both_methods_agree_on_an_even_sample() -> None:
    sample = rows(np.random.default_rng(6).normal(0.0, 1.0, 40))
    t, flips = reach(sample, 0.05, "t"), reach(sample, 0.05, "sign_flip")
    np.testing.assert_allclose(flips.low, t.low, atol=0.03)
    np.testing.assert_allclose(flips.high, t.high, atol=0.03)


def test_too_few_flips_for_a_level_prove_nothing() -> None:
    assert reach(rows(np.ones(24) + np.arange(24)), 1e-6, "sign_flip").low[0] == -np.inf


def test_a_sample_that_does_not_vary_hides_no_more_than_a_town_in_so_many() -> None:
    """Losses of a step in a share q of towns are missed by n towns with chance (1 - q) ** n."""
    low = reach(rows(np.zeros(24), step=0.125), 0.05, "t").low[0]
    share = -low / 0.125
    assert (1.0 - share) ** 24 == pytest.approx(0.05)
    assert reach(rows(np.zeros(24)), 0.05, "t").low[0] == 0.0


def test_the_chance_to_pass_is_what_walks_under_the_trend_come_to() -> None:
    generator = np.random.default_rng(8)
    early = generator.normal(0.2, 1.0, 24)
    told = chance_to_pass(rows(early), np.zeros(1), 0.25, 0.05)[0]
    later = generator.normal(early.mean(), early.std(ddof=1), (20_000, 72))
    whole = np.concatenate([np.tile(early, (20_000, 1)), later], axis=1)
    scores = whole.mean(axis=1) / (early.std(ddof=1) / np.sqrt(96))
    assert told == pytest.approx((scores > 1.644854).mean(), abs=0.015)
