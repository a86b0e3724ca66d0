"""Decisions are dealt whole: every row once, in a repeatable order, with bounded memory."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.policy.conftest import RuleSource, rule_source
from townlet_core.datasets.reading import DecisionBatch
from townlet_core.policy.decisions import Deck


class CountingSource:
    """A source that counts how often it is read."""

    def __init__(self, source: RuleSource) -> None:
        self.layout, self.actions, self.scenarios = source.layout, source.actions, source.scenarios
        self.passes = 0
        self._source = source

    def __iter__(self) -> Iterator[DecisionBatch]:
        self.passes += 1
        return iter(self._source)


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
    assert source.passes == passes
