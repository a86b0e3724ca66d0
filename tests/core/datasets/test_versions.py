"""A dataset version is its content: the same episodes and rules give the same id, and what cannot teach is refused."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townlet_core.config import CurationRules, Scenario
from townlet_core.datasets import (
    CuratedRecord,
    EpisodeVerdict,
    build_version,
    capture,
    curate,
    deprecate,
    read_catalogue,
    read_curated,
    read_version,
)
from townlet_core.datasets.splitting import SIDES
from townlet_core.datasets.versions import episode_keys, version_id
from townlet_core.errors import DataError, RefusedError
from townlet_core.policy.teacher import Teacher

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        random.Random(1).shuffle(items)
        return {key: shuffled(content) for key, content in items}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_the_id_does_not_depend_on_key_order_nor_on_itself(manifest: dict[str, Any]) -> None:
    assert version_id(shuffled(manifest)) == version_id(manifest)
    assert version_id({**manifest, "id": "anything"}) == version_id({**manifest, "id": "else"})


@given(st.dictionaries(st.text().filter(lambda key: key != "id"), VALUES, min_size=1))
def test_any_change_of_content_changes_the_id(manifest: dict[str, Any]) -> None:
    for key, value in manifest.items():
        assert version_id({**manifest, key: [value]}) != version_id(manifest)
        assert version_id({other: manifest[other] for other in manifest if other != key}) != version_id(manifest)


def curated(line: Any) -> list[CuratedRecord]:
    return [read_curated(line.store, record.scenario, record.date) for record in line.captures]


def test_a_version_names_itself_and_the_order_of_its_parts_does_not_matter(line: Any, rules: CurationRules) -> None:
    manifest = line.manifest
    assert manifest["id"] == version_id(manifest)
    assert build_version(reversed(curated(line)), rules, line.store) == manifest
    assert read_version(line.store) == read_version(line.store, manifest["id"]) == manifest
    assert list(read_catalogue(line.store)) == [manifest["id"]]


def test_other_rules_are_another_version(line: Any, rules: CurationRules) -> None:
    other = build_version(curated(line), rules.model_copy(update={"holdout_share": 0.5}), line.store)
    assert other["id"] != line.manifest["id"]
    assert list(read_catalogue(line.store)) == [line.manifest["id"], other["id"]]
    assert read_version(line.store)["id"] == other["id"]


def test_held_out_episodes_are_whole_and_of_every_scenario(pristine: Any) -> None:
    found = {side: episode_keys(pristine.manifest, side) for side in SIDES}
    assert len(set.union(*map(set, found.values()))) == sum(map(len, found.values())) == 8
    assert {side: len(keys) for side, keys in found.items()} == {"train": 4, "validation": 2, "holdout": 2}
    for side in SIDES:
        assert {key.scenario for key in found[side]} == {"low_money", "ordinary_day"}


def test_the_figures_are_those_of_the_rows(pristine: Any) -> None:
    quality = pristine.manifest["quality"]
    experts: list[int] = []
    clipped = rows = 0
    for record in pristine.captures:
        table = pristine.store.open(record.digest).read(["expert", "decision", "clipped"]).to_pandas()
        experts += table.expert[table.decision].tolist()
        clipped, rows = clipped + int(table.clipped.sum()), rows + len(table)
    names = pristine.manifest["actions"]
    counts = {name: experts.count(number) for number, name in enumerate(names)}
    assert (quality["rows"], quality["decisions"]) == (rows, len(experts))
    assert {name: entry["decisions"] for name, entry in quality["actions"].items()} == counts
    assert quality["distinct_actions"] == sum(count > 0 for count in counts.values())
    assert quality["majority_share"] == pytest.approx(max(counts.values()) / len(experts), abs=1e-6)
    assert quality["clipped_share"] == pytest.approx(clipped / rows, abs=1e-6)
    parts = quality["scenarios"].values()
    assert sum(part["decisions"] for part in parts) == len(experts)
    assert sum(entry["share"] for entry in quality["actions"].values()) == pytest.approx(1, abs=1e-4)


def with_actions(record: CuratedRecord, actions: list[int]) -> CuratedRecord:
    episodes = [replace(verdict, actions=actions, decisions=sum(actions)) for verdict in record.episodes]
    return replace(record, episodes=episodes)


def test_a_dataset_of_one_action_is_refused_even_by_lax_rules(line: Any, rules: CurationRules) -> None:
    lax = rules.model_copy(update={"min_distinct_actions": 1, "max_majority_share": 1.0})
    everything = [replace(record, rules=lax.model_dump(mode="json")) for record in curated(line)]
    one = [with_actions(record, [500, 0, 0, 0, 0, 0, 0, 0, 0, 0]) for record in everything]
    with pytest.raises(RefusedError, match="1 distinct actions; at least 2"):
        build_version(one, lax, line.store)
    assert list(read_catalogue(line.store)) == [line.manifest["id"]]


def test_a_dataset_that_is_mostly_one_action_is_refused(line: Any, rules: CurationRules) -> None:
    most = [with_actions(record, [950, 10, 10, 10, 20, 0, 0, 0, 0, 0]) for record in curated(line)]
    with pytest.raises(RefusedError, match=r"95\.0% of the decisions are one action; at most 90\.0%"):
        build_version(most, rules, line.store)


def test_a_capture_that_was_curated_by_other_rules_is_refused_by_name(line: Any, rules: CurationRules) -> None:
    stricter = rules.model_copy(update={"min_ticks": 2000})
    with pytest.raises(DataError, match=r"curated/low_money/2026-11-01\.json: curated by other rules \(min_ticks\)"):
        build_version(curated(line), stricter, line.store)


def rejected(verdict: EpisodeVerdict) -> EpisodeVerdict:
    return replace(verdict, reasons=["death: 1 lives ended; none"])


def test_a_dataset_without_episodes_is_refused(line: Any, rules: CurationRules) -> None:
    nothing = [replace(record, episodes=[rejected(one) for one in record.episodes]) for record in curated(line)]
    with pytest.raises(RefusedError, match="no decision is left"):
        build_version(nothing, rules, line.store)
    with pytest.raises(RefusedError, match="no curated capture"):
        build_version([], rules, line.store)


def test_rejected_episodes_are_left_out_with_their_reasons(line: Any, rules: CurationRules) -> None:
    low, ordinary = curated(line)
    low = replace(low, episodes=[rejected(low.episodes[0]), *low.episodes[1:]])
    manifest = build_version([low, ordinary], rules, line.store)
    assert manifest["rejected"] == [
        {"scenario": "low_money", "date": "2026-11-01", "episode": 0, "reasons": ["death: 1 lives ended; none"]}
    ]
    assert [episode["episode"] for episode in manifest["shards"][0]["episodes"]] == [1, 2, 3]
    assert manifest["quality"]["scenarios"]["low_money"]["rejected_episodes"] == 1


def test_the_same_episode_in_two_captures_counts_once(line: Any, rules: CurationRules) -> None:
    low, ordinary = curated(line)
    copy = replace(ordinary, date="2026-11-02")
    manifest = build_version([low, ordinary, copy], rules, line.store)
    assert [shard["date"] for shard in manifest["shards"]] == ["2026-11-01", "2026-11-01"]
    assert manifest["rejected"][0]["reasons"] == [
        "duplicate: the same as episode ordinary_day/2026-11-01/0; every episode once"
    ]


def test_only_the_newest_dates_are_drawn_from(line: Any, rules: CurationRules) -> None:
    low, ordinary = curated(line)
    old = replace(ordinary, date="2026-10-01")
    manifest = build_version([low, ordinary, old], rules.model_copy(update={"window_days": 1}), line.store)
    assert {shard["date"] for shard in manifest["shards"]} == {"2026-11-01"}
    assert manifest["rejected"] == []


def test_captures_of_different_layouts_do_not_mix(line: Any, rules: CurationRules) -> None:
    low, ordinary = curated(line)
    with pytest.raises(DataError, match=r"curated/ordinary_day/2026-11-01\.json: another observation layout or schema"):
        build_version([low, replace(ordinary, schema_fingerprint="0" * 64)], rules, line.store)


def test_a_version_of_a_missing_shard_is_refused_by_name(line: Any, rules: CurationRules) -> None:
    parts = curated(line)
    line.store.object_path(line.captures[0].digest).unlink()
    with pytest.raises(DataError, match=f"{line.captures[0].digest}.parquet: missing"):
        build_version(parts, rules, line.store)


@pytest.mark.parametrize("change", [{"rules": {}}, {"id": "0" * 64}, {"extra": 1}])
def test_a_manifest_that_is_not_what_its_id_says_is_refused(line: Any, change: dict[str, Any]) -> None:
    name = line.manifest["id"]
    line.store.write_record(f"versions/{name}.json", line.manifest | change)
    with pytest.raises(DataError, match=f"{name}.json: content does not match its id"):
        read_version(line.store, name)


def test_a_deprecated_version_is_not_the_latest_and_is_not_revived_by_building_it(
    line: Any, rules: CurationRules
) -> None:
    deprecate(line.store, line.manifest["id"], "captured with a broken shower")
    assert read_catalogue(line.store)[line.manifest["id"]] == {
        "status": "deprecated",
        "note": "captured with a broken shower",
    }
    build_version(curated(line), rules, line.store)
    with pytest.raises(DataError, match="no active dataset version"):
        read_version(line.store)


def test_an_unknown_version_is_refused(line: Any) -> None:
    with pytest.raises(DataError, match="no version nonsense; known are"):
        deprecate(line.store, "nonsense", "")
    with pytest.raises(DataError, match=r"versions/nonsense\.json: missing"):
        read_version(line.store, "nonsense")


def test_a_damaged_catalogue_is_refused_by_name(line: Any) -> None:
    line.store.write_record("versions.json", {"versions": {"a": 1}})
    with pytest.raises(DataError, match=r"versions\.json: 'versions' is no list"):
        read_catalogue(line.store)


def test_a_version_grows_with_another_day_and_keeps_the_sides(
    line: Any, rules: CurationRules, scenario: Scenario
) -> None:
    next_day = curate(capture(scenario, "2026-11-02", line.store, policy_factory=Teacher), rules, line.store)
    grown = build_version([*curated(line), next_day], rules, line.store)
    for side in SIDES:
        assert set(episode_keys(line.manifest, side)) < set(episode_keys(grown, side))
