"""Every rule of curation refuses what it is for, says so in the record, and lets a good episode pass."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from townlet_core.config import CurationRules
from townlet_core.datasets import curate, read_capture, read_curated
from townlet_core.datasets.curation import judge
from townlet_core.datasets.figures import measure
from townlet_core.datasets.schema import ShardFacts
from townlet_core.errors import DataError

AGENTS, TICKS, ACTIONS = 2, 100, 9
RULES = CurationRules(min_ticks=100, min_distinct_actions=5, max_majority_share=0.5, max_clipped_share=0.05)
Columns = dict[str, NDArray[Any]]


def facts(ticks: int = TICKS) -> ShardFacts:
    """Facts of a shard of episodes this small; only its size matters here."""
    return ShardFacts("steps", "a", "2026-11-01", 1, 1, AGENTS, ticks, 0.0, "p", {}, "", {}, "", "", ())


def good(ticks: int = TICKS) -> Columns:
    """The columns of an episode that breaks no rule: every row a decision, nine options in turn."""
    rows = AGENTS * ticks
    options = (np.arange(rows) % ACTIONS).astype(np.int8)
    return {
        "episode": np.zeros(rows, np.int32),
        "agent": np.repeat(np.arange(AGENTS, dtype=np.int8), ticks),
        "tick": np.tile(np.arange(ticks, dtype=np.int32), AGENTS),
        "decision": np.ones(rows, np.bool_),
        "action": options,
        "expert": options.copy(),
        "features": np.random.default_rng(0).random((rows, 3), np.float32),
        "mask": np.ones((rows, ACTIONS), np.uint8),
        "reward": np.linspace(0, 1, rows, dtype=np.float32),
        "clipped": np.zeros(rows, np.bool_),
        "terminated": np.zeros(rows, np.bool_),
    }


def reasons(columns: Columns, ticks: int = TICKS, rules: CurationRules = RULES) -> list[str]:
    """The names of the rules that an episode breaks."""
    (verdict,) = judge([measure(columns, facts(ticks))], rules)
    assert verdict.accepted == (not verdict.reasons)
    return [reason.split(":")[0] for reason in verdict.reasons]


def changed(column: str, row: int, value: Any) -> Columns:
    columns = good()
    columns[column][row] = value
    return columns


def test_a_good_episode_is_accepted() -> None:
    assert reasons(good()) == []


def test_a_short_episode_is_rejected() -> None:
    assert reasons(good(99), 99) == ["too_short"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["features", "reward"])
def test_a_value_that_is_not_finite_is_rejected(column: str, value: float) -> None:
    assert reasons(changed(column, 150, value)) == ["non_finite"]


def test_missing_rows_are_rejected() -> None:
    columns = {name: np.delete(array, 17, axis=0) for name, array in good().items()}
    assert reasons(columns) == ["incomplete"]


def test_rows_out_of_order_are_rejected() -> None:
    columns = good()
    columns["tick"][[3, 4]] = columns["tick"][[4, 3]]
    assert reasons(columns) == ["incomplete"]


def test_a_dead_end_is_rejected_unless_deaths_are_allowed() -> None:
    columns = changed("terminated", 199, True)
    assert reasons(columns) == ["death"]
    assert reasons(columns, rules=RULES.model_copy(update={"allow_deaths": True})) == []


def test_few_distinct_actions_are_rejected() -> None:
    columns = good()
    columns["expert"] %= 4
    assert reasons(columns) == ["few_actions"]


def test_only_decisions_count_as_actions() -> None:
    columns = good()
    columns["decision"] = columns["expert"] < 4
    assert reasons(columns) == ["few_actions"]


def test_one_action_in_most_decisions_is_rejected() -> None:
    columns = good()
    columns["expert"][: AGENTS * TICKS // 2 + 10] = 3
    assert reasons(columns) == ["one_action_majority"]


def test_saturated_rewards_are_rejected() -> None:
    columns = good()
    columns["clipped"][:11] = True
    assert reasons(columns) == ["reward_saturated"]
    columns["clipped"][10] = False
    assert reasons(columns) == []


@pytest.mark.parametrize("option", [2, -1, 9])
def test_a_label_that_its_mask_forbids_is_rejected(option: int) -> None:
    columns = changed("expert", 20, option)
    columns["mask"][20, 2] = 0
    assert reasons(columns) == ["illegal_label"]


def test_an_episode_without_decisions_is_rejected() -> None:
    columns = good()
    columns["decision"][:] = False
    assert reasons(columns) == ["few_actions"]


def test_an_empty_episode_is_rejected() -> None:
    assert "incomplete" in reasons({name: array[:0] for name, array in good().items()})


def test_of_equal_episodes_the_first_is_kept_and_named() -> None:
    figures = [measure(good(), facts())._replace(episode=number) for number in (4, 5, 6)]
    first, *others = judge(figures, RULES)
    assert first.accepted
    assert [other.reasons for other in others] == [["duplicate: the same as episode 4; every episode once"]] * 2
    allowed = judge(figures, RULES.model_copy(update={"reject_duplicates": False}))
    assert all(verdict.accepted for verdict in allowed)


def test_an_episode_may_break_several_rules_and_hears_of_all() -> None:
    columns = changed("reward", 5, np.nan)
    columns["expert"][:] = 0
    assert reasons(columns) == ["non_finite", "few_actions", "one_action_majority"]


def test_real_captures_are_accepted_and_recorded(pristine: Any, rules: CurationRules) -> None:
    for record in pristine.captures:
        curated = read_curated(pristine.store, record.scenario, record.date)
        assert [verdict.episode for verdict in curated.accepted] == [0, 1, 2, 3]
        assert sum(verdict.decisions for verdict in curated.episodes) == record.decisions
        assert sum(verdict.rows for verdict in curated.episodes) == record.rows
        assert read_capture(pristine.store, record.scenario, record.date) == record


def test_curating_again_finds_the_first_result_and_other_rules_do_not(line: Any, rules: CurationRules) -> None:
    assert curate(line.captures[0], rules, line.store).reused
    stricter = rules.model_copy(update={"max_majority_share": 0.05})
    curated = curate(line.captures[0], stricter, line.store)
    assert not curated.reused
    assert all("one_action_majority" in verdict.reasons[0] for verdict in curated.rejected)
    assert len(curated.rejected) == 4


def test_nan_in_a_real_shard_rejects_that_episode_alone(
    line: Any, rules: CurationRules, rewrite: Callable[..., None], tmp_path: Any
) -> None:
    record = line.captures[0]
    rewrite(line.store.object_path(record.digest), tmp_path / "nan", "reward", 8 * 1440 + 5, np.nan)
    digest = line.store.put_bytes((tmp_path / "nan").read_bytes(), ".parquet")
    curated = curate(replace(record, steps=f"{digest}.parquet"), rules, line.store)
    assert [(verdict.episode, verdict.reasons[0].split(":")[0]) for verdict in curated.rejected] == [(1, "non_finite")]


def test_a_truncated_shard_is_refused_by_name_and_no_record_is_made(line: Any, rules: CurationRules) -> None:
    record = line.captures[0]
    path = line.store.object_path(record.digest)
    path.write_bytes(path.read_bytes()[:-100])
    line.store.path(f"curated/{record.scenario}/{record.date}.json").unlink()
    with pytest.raises(DataError, match=f"{record.digest}.parquet: damaged"):
        curate(record, rules, line.store)
    assert not line.store.has_record(f"curated/{record.scenario}/{record.date}.json")


def test_a_curated_record_with_unknown_keys_is_refused_by_name(line: Any) -> None:
    path = "curated/low_money/2026-11-01.json"
    line.store.write_record(path, line.store.read_record(path) | {"acepted": 3})
    with pytest.raises(DataError, match=r"2026-11-01\.json: wrong keys in a CuratedRecord \(acepted\)"):
        read_curated(line.store, "low_money", "2026-11-01")
