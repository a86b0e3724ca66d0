"""Held-out episodes are whole, stable, and present for every scenario."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townlet_core.datasets.splitting import EpisodeKey, held_out
from townlet_core.errors import RefusedError

SCENARIOS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.dictionaries(st.sampled_from(["2026-11-01", "2026-11-02"]), st.integers(1, 12), min_size=1),
    min_size=1,
).filter(lambda plan: all(sum(dates.values()) > 1 for dates in plan.values()))


def keys(plan: dict[str, dict[str, int]]) -> list[EpisodeKey]:
    return [EpisodeKey(s, d, k) for s, dates in plan.items() for d, count in dates.items() for k in range(count)]


@given(plan=SCENARIOS, share=st.floats(0.01, 0.99), order=st.randoms())
def test_every_scenario_is_on_both_sides_whatever_the_order(
    plan: dict[str, dict[str, int]], share: float, order: object
) -> None:
    episodes = keys(plan)
    chosen = held_out(episodes, share)
    shuffled = list(episodes)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert held_out(shuffled + shuffled, share) == chosen
    for scenario in plan:
        own = {key for key in episodes if key.scenario == scenario}
        assert 0 < len(own & chosen) < len(own)


@given(plan=SCENARIOS, share=st.floats(0.01, 0.99))
def test_an_episode_keeps_its_side_when_other_days_come_and_go(plan: dict[str, dict[str, int]], share: float) -> None:
    before = [EpisodeKey("a", "2026-10-31", k) for k in range(6)]
    chosen = held_out(before, share)
    assert held_out([*before, *keys(plan)], share).intersection(before) == chosen


def test_a_quarter_of_twelve_episodes_is_three() -> None:
    assert len(held_out(keys({"a": {"2026-11-01": 12}}), 0.25)) == 3


def test_a_scenario_of_one_episode_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="lonely: one accepted episode"):
        held_out([EpisodeKey("lonely", "2026-11-01", 0)], 0.25)
