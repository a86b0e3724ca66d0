"""Advantages over decisions of unequal length, against hand-worked figures, brute force and a slow reference."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from townlet_core.policy.ppo.advantages import Spans, estimate_advantages, standardised

DISCOUNT, TRACE = 0.9, 0.5


def spans(reward: list[float], ticks: list[int], value: list[float], following: list[int], tail: list[float]) -> Spans:
    whole = (np.array(column, np.int64) for column in (ticks, following))
    real = (np.array(column, np.float64) for column in (reward, value, tail))
    rewards, values, tails = real
    lengths, follows = whole
    return Spans(rewards, lengths, values, follows, tails)


def test_two_decisions_and_a_death_by_hand() -> None:
    # Last: 2 + 0 - 3 = -1. First: 1 + 0.9^2 * 3 - 4 = -0.57, and 0.5 * 0.9^2 * -1 = -0.405 from behind.
    found = estimate_advantages(spans([1, 2], [2, 5], [4, 3], [1, -1], [9, 0]), DISCOUNT, TRACE)
    np.testing.assert_allclose(found, [-0.975, -1.0], rtol=0, atol=1e-12)


def test_time_that_is_up_is_no_death_what_would_have_come_counts() -> None:
    # 2 + 0.9^5 * 10 - 3
    found = estimate_advantages(spans([2], [5], [3], [-1], [10.0]), DISCOUNT, TRACE)
    assert found[0] == pytest.approx(2 + 0.59049 * 10 - 3, abs=1e-12)


def test_nothing_leaks_from_one_life_into_the_next_of_the_same_row() -> None:
    alone = estimate_advantages(spans([1.0], [3], [0.5], [-1], [0.0]), DISCOUNT, 1.0)
    with_heir = estimate_advantages(spans([1.0, 1e6], [3, 1], [0.5, 7.0], [-1, -1], [0.0, 1e6]), DISCOUNT, 1.0)
    assert alone[0] == with_heir[0]


@st.composite
def lives(draw: st.DrawFn) -> list[list[tuple[list[float], float]]]:
    """Some lives, each a list of decisions: the rewards of its ticks and the critic's value."""
    number = st.floats(-2, 2, width=32)
    decision = st.tuples(st.lists(number, min_size=1, max_size=6), number)
    return draw(st.lists(st.lists(decision, min_size=1, max_size=7), min_size=1, max_size=4))


def interleaved(people: list[list[tuple[list[float], float]]], tails: list[float]) -> tuple[Spans, list[list[int]]]:
    """The lives' decisions in turn, as a rollout would finish them."""
    places: list[list[int]] = [[] for _ in people]
    order = []
    for turn in range(max(map(len, people))):
        for person, life in enumerate(people):
            if turn < len(life):
                places[person].append(len(order))
                order.append(life[turn])
    following, tail = [-1] * len(order), [0.0] * len(order)
    for own, end in zip(places, tails, strict=True):
        tail[own[-1]] = end
        for here, after in pairwise(own):
            following[here] = after
    rewards = [sum(r * DISCOUNT**k for k, r in enumerate(ticks)) for ticks, _ in order]
    return spans(rewards, [len(t) for t, _ in order], [v for _, v in order], following, tail), places


@given(people=lives(), tail=st.floats(-3, 3, width=32))
def test_with_full_trust_in_rewards_it_is_the_return_tick_by_tick_less_the_expectation(
    people: list[list[tuple[list[float], float]]], tail: float
) -> None:
    table, places = interleaved(people, [tail] * len(people))
    found = estimate_advantages(table, DISCOUNT, 1.0)
    for life, own in zip(people, places, strict=True):
        for number, place in enumerate(own):
            ticks = [reward for rewards, _ in life[number:] for reward in rewards]
            total = sum(r * DISCOUNT**k for k, r in enumerate(ticks)) + DISCOUNT ** len(ticks) * tail
            assert found[place] == pytest.approx(total - life[number][1], abs=1e-9)


@given(people=lives(), tail=st.floats(-3, 3, width=32), trace=st.floats(0, 1))
def test_it_is_the_weighted_mean_of_all_looks_ahead(
    people: list[list[tuple[list[float], float]]], tail: float, trace: float
) -> None:
    """The definition: (1 - l) sum l^(k-1) A_k over looks of k decisions, the longest look taking the rest."""
    table, places = interleaved(people, [tail] * len(people))
    found = estimate_advantages(table, DISCOUNT, trace)
    for own in places:
        for number, place in enumerate(own):
            looks = []
            reward, fade = 0.0, 1.0
            for step, here in enumerate(own[number:]):
                reward += fade * table.reward[here]
                fade *= DISCOUNT ** table.ticks[here]
                last = number + step + 1 == len(own)
                ahead = tail if last else table.value[own[number + step + 1]]
                looks.append(reward + fade * ahead - table.value[place])
            weights = [(1 - trace) * trace**k for k in range(len(looks) - 1)] + [trace ** (len(looks) - 1)]
            assert found[place] == pytest.approx(float(np.dot(weights, looks)), abs=1e-9)


def test_standardised_advantages_have_mean_zero_and_deviation_one_unless_all_are_alike() -> None:
    scaled = standardised(np.array([1.0, 2.0, 6.0]))
    assert scaled.mean() == pytest.approx(0.0, abs=1e-12)
    assert scaled.std() == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_array_equal(standardised(np.full(4, 3.0)), np.zeros(4))
