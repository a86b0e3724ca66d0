"""Means carry Student-t intervals, and missing evidence never turns into a figure."""

import math

import numpy as np
import pytest

from townlet_core.telemetry.intervals import mean_interval, paired_interval


def test_a_sample_has_the_textbook_interval() -> None:
    interval = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    half = 2.7764451051977987 * math.sqrt(2.5) / math.sqrt(5)  # t quantile .975 with 4 degrees, from tables
    assert interval.mean == 3.0
    assert interval.low == pytest.approx(3.0 - half, rel=1e-12)
    assert interval.high == pytest.approx(3.0 + half, rel=1e-12)
    assert interval.n == 5


def test_a_wider_confidence_widens_the_interval() -> None:
    sample = [0.1, 0.4, 0.2, 0.8]
    narrow, wide = mean_interval(sample, 0.8), mean_interval(sample, 0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_the_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    samples = rng.normal(2.0, 3.0, size=(4000, 6))
    intervals = [mean_interval(sample, 0.9) for sample in samples]
    share = np.mean([low <= 2.0 <= high for _, low, high, _ in intervals])
    assert share == pytest.approx(0.9, abs=0.015)


@pytest.mark.parametrize("sample", [[], [1.0, math.nan, 2.0], [1.0, math.inf]])
def test_missing_or_broken_values_give_no_figure_at_all(sample: list[float]) -> None:
    interval = mean_interval(sample)
    assert all(math.isnan(figure) for figure in interval[:3])
    assert interval.n == len(sample)


def test_one_value_says_nothing_about_its_spread() -> None:
    interval = mean_interval([4.0])
    assert (interval.mean, interval.low, interval.high) == (4.0, -math.inf, math.inf)


def test_pairing_removes_what_the_pairs_share() -> None:
    rng = np.random.default_rng(3)
    town = rng.normal(0.0, 10.0, size=20)
    better, worse = town + 0.5 + rng.normal(0, 0.1, 20), town
    paired = paired_interval(better, worse)
    assert 0.4 < paired.low < 0.5 < paired.high < 0.6
    assert mean_interval(better).low < mean_interval(worse).mean < mean_interval(better).high


def test_values_without_partners_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs"):
        paired_interval([1.0, 2.0], [1.0])


def test_a_matrix_or_a_senseless_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match="one-dimensional"):
        mean_interval([[1.0, 2.0]])
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1.0, 2.0], 95)
