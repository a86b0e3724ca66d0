"""Decisions are dealt whole: every row once, in a repeatable order, with bounded memory."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.policy.conftest import RuleSource, rule_source
from townlet_core.datasets.reading import DecisionBatch
from townlet_core.policy.decisions import Deck


class CountingSource:
    """A source that counts how often each of its episodes is read."""

    def __init__(self, source: RuleSource) -> None:
        self.layout, self.actions, self.scenarios = source.layout, source.actions, source.scenarios
        self.decisions, self.episodes = source.decisions, source.episodes
        self.reads = Counter[int]()
        self._source = source

    def read(self, number: int) -> DecisionBatch:
        self.reads[number] += 1
        return self._source.read(number)


SOURCE = rule_source(9, 7, rows=31)
ROWS = sorted(float(x) for batch in SOURCE for x in batch.returns)


@given(pool_rows=st.integers(1, 400), size=st.integers(1, 100), seed=st.integers(0, 5))
def test_a_shuffled_pass_deals_every_decision_once(pool_rows: int, size: int, seed: int) -> None:
    hands = list(Deck(SOURCE, pool_rows).shuffled(size, np.random.default_rng(seed)))
    assert sorted(float(x) for hand in hands for x in hand.returns) == ROWS
    assert max(hand.expert.size for hand in hands) <= size


def test_the_order_depends_on_the_generator_alone() -> None:
    def order(seed: int) -> list[float]:
        hands = Deck(SOURCE).shuffled(16, np.random.default_rng(seed))
        return [float(x) for hand in hands for x in hand.returns]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize(("pool_rows", "passes"), [(1000, 1), (100, 3)])
def test_only_what_fits_into_one_pool_is_kept_in_memory(pool_rows: int, passes: int) -> None:
    source = CountingSource(SOURCE)
    deck = Deck(source, pool_rows)
    for _ in range(3):
        sizes = [pool.expert.size for pool in deck.pools()]
        assert sum(sizes) == len(ROWS)
        assert max(sizes) < pool_rows + 31
    assert source.reads == dict.fromkeys(source.episodes, passes)


def by_scenario(batches: int, rows: int) -> RuleSource:
    """A source as a dataset lies: first every episode of one scenario, then every one of the other."""
    source = rule_source(9, batches, rows=rows)
    return replace(source, batches=sorted(source.batches, key=lambda batch: str(batch.scenario[0])))


def test_a_pass_over_many_pools_mixes_the_scenarios_in_each_of_them() -> None:
    deck = Deck(by_scenario(48, 10), pool_rows=120)
    hands = list(deck.shuffled(120, np.random.default_rng(1)))
    assert [hand.expert.size for hand in hands] == [120] * 4
    shares = [float((hand.scenario == "busy").mean()) for hand in hands]
    assert all(0.2 < share < 0.8 for share in shares), shares
    assert sum(shares) / 4 == 0.5


def test_each_pass_over_many_pools_has_an_order_that_the_generator_alone_decides() -> None:
    def passes(deck: Deck, seed: int) -> list[list[float]]:
        generator = np.random.default_rng(seed)
        return [[float(x) for hand in deck.shuffled(16, generator) for x in hand.returns] for _ in range(2)]

    fresh, read = Deck(by_scenario(12, 20), 60), Deck(by_scenario(12, 20), 60)
    list(read.pools())
    first, second = passes(fresh, 1)
    assert [first, second] == passes(read, 1)
    assert first != second
    assert [first, second] != passes(fresh, 2)
