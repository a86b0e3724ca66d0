"""The return to the next decision is what a plain loop over the definition gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from townlet_core.datasets.returns import Spans, first_decisions, return_to_end, return_to_next

RARELY = st.sampled_from([False] * 9 + [True])
ROW = st.tuples(st.booleans(), RARELY, st.floats(-1, 1, width=32), RARELY)
Rows = list[list[tuple[bool, bool, float, bool]]]
LIVES = st.lists(st.lists(ROW, min_size=1, max_size=40), min_size=1, max_size=4)


def spans_of(lives: Rows) -> Spans:
    rows = [(*row, agent) for agent, life in enumerate(lives) for row in life]
    decision, terminated, reward, stranger, agent = (np.array(column) for column in zip(*rows, strict=True))
    person = stranger.cumsum().astype(np.int32)  # another person lives here from this row on
    flags = decision.astype(bool), terminated.astype(bool)
    return Spans(*flags, reward.astype(np.float32), agent.astype(np.int8), person)


def life_of(spans: Spans, row: int) -> tuple[int, int]:
    return int(spans.agent[row]), int(spans.person[row])


def walk(spans: Spans, start: int, discount: float, stop_at_decision: bool) -> tuple[float, int]:
    """The definition, row by row."""
    total, row = 0.0, start
    while True:
        total += discount ** (row - start) * float(spans.reward[row])
        over = spans.terminated[row] or row + 1 == len(spans.reward) or life_of(spans, row) != life_of(spans, row + 1)
        row += 1
        if over or (stop_at_decision and spans.decision[row]):
            return total, row - start


@given(lives=LIVES, discount=st.sampled_from([1.0, 0.99, 0.5]))
def test_a_decision_earns_what_comes_until_the_same_citizen_decides_again(lives: Rows, discount: float) -> None:
    spans = spans_of(lives)
    expected = [walk(spans, row, discount, True) for row in np.flatnonzero(spans.decision)]
    outcome = return_to_next(spans, discount)
    assert outcome.ticks.tolist() == [ticks for _, ticks in expected]
    assert outcome.reward.tolist() == pytest.approx([total for total, _ in expected], abs=1e-5)


@given(lives=LIVES, discount=st.sampled_from([1.0, 0.99, 0.5]))
def test_the_whole_return_runs_to_the_end_of_the_life(lives: Rows, discount: float) -> None:
    spans = spans_of(lives)
    expected = [walk(spans, row, discount, False)[0] for row in np.flatnonzero(spans.decision)]
    assert return_to_end(spans, discount).tolist() == pytest.approx(expected, abs=1e-4)


def test_no_rows_give_no_decisions() -> None:
    empty = Spans(np.zeros(0, bool), np.zeros(0, bool), np.zeros(0, np.float32), np.zeros(0, np.int8), np.zeros(0))
    assert len(return_to_next(empty, 0.9).ticks) == 0
    assert len(return_to_end(empty, 0.9)) == 0


def test_the_first_decision_of_each_life_is_known_even_when_the_life_began_with_forced_ticks() -> None:
    decision = np.array([False, True, True, True, False, True, True, False])
    terminated = np.array([False, False, True, False, False, False, False, False])
    agent = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    spans = Spans(decision, terminated, np.zeros(8), agent, np.zeros(8))
    nothing = np.zeros(8, bool)
    assert first_decisions(spans, nothing).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize(("row", "begins"), [(2, [True, True, False, False]), (3, [True, False, True, False])])
def test_a_hard_cut_begins_a_memory_also_when_it_left_no_choice(row: int, begins: list[bool]) -> None:
    decision = np.array([True, False, True, False, True, True])
    spans = Spans(decision, np.zeros(6, bool), np.zeros(6), np.zeros(6, int), np.zeros(6))
    cut = np.arange(6) == row
    assert first_decisions(spans, cut).tolist() == begins
