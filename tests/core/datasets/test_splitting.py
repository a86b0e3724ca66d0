"""Held-out episodes are whole, stable, and present for every scenario."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townlet_core.datasets.splitting import HOLDOUT, SIDES, TRAIN, VALIDATION, EpisodeKey, Shares, sides
from townlet_core.errors import RefusedError

SCENARIOS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.dictionaries(st.sampled_from(["2026-11-01", "2026-11-02"]), st.integers(1, 12), min_size=1),
    min_size=1,
).filter(lambda plan: all(sum(dates.values()) > 2 for dates in plan.values()))


def keys(plan: dict[str, dict[str, int]]) -> list[EpisodeKey]:
    return [EpisodeKey(s, d, k) for s, dates in plan.items() for d, count in dates.items() for k in range(count)]


SHARE = st.floats(0.01, 0.99)


@given(plan=SCENARIOS, held=SHARE, judging=SHARE, order=st.randoms())
def test_every_scenario_is_on_every_side_whatever_the_order(
    plan: dict[str, dict[str, int]], held: float, judging: float, order: object
) -> None:
    episodes, shares = keys(plan), Shares(held, judging)
    chosen = sides(episodes, shares)
    shuffled = list(episodes)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sides(shuffled + shuffled, shares) == chosen
    assert set(chosen) == set(episodes)
    for scenario in plan:
        assert {chosen[key] for key in episodes if key.scenario == scenario} == set(SIDES)


@given(plan=SCENARIOS, held=SHARE, judging=SHARE)
def test_an_episode_keeps_its_side_when_other_days_come_and_go(
    plan: dict[str, dict[str, int]], held: float, judging: float
) -> None:
    before = [EpisodeKey("a", "2026-10-31", k) for k in range(6)]
    alone = sides(before, Shares(held, judging))
    together = sides([*before, *keys(plan)], Shares(held, judging))
    assert {key: together[key] for key in before} == alone


def test_of_twenty_episodes_a_quarter_is_held_out_and_a_tenth_validates() -> None:
    chosen = list(sides(keys({"a": {"2026-11-01": 20}}), Shares(0.25, 0.1)).values())
    assert [chosen.count(side) for side in (TRAIN, VALIDATION, HOLDOUT)] == [13, 2, 5]


@pytest.mark.parametrize(("count", "told"), [(1, "one accepted episode"), (2, "2 accepted episodes")])
def test_a_scenario_of_too_few_episodes_is_refused_by_name(count: int, told: str) -> None:
    with pytest.raises(RefusedError, match=f"lonely: {told} cannot be on three sides; capture more towns"):
        sides([EpisodeKey("lonely", "2026-11-01", number) for number in range(count)], Shares(0.25, 0.1))
