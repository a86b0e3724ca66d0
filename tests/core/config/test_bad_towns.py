"""A bad town is refused in one line that names file, line, key, and what would be right."""
# ruff: noqa: E501 - an expected message is one line here because it must be one line there

from pathlib import Path

import pytest

from tests.core.config.conftest import Files, refused
from townlet_core.config import check_config, embedded_config, load_config, load_scenario

TOWN = "towns/small.yaml"


def refusal(configs: Files) -> str:
    return refused(load_config, configs.root / TOWN)


MISTAKES = [
    ("small-hybrid-1", "small", "config_id: found 'small'; the id carries observations.variant and a number: write 'small-hybrid-1'"),
    ("small-hybrid-1", "small-full-3", "config_id: found 'small-full-3'; the id carries observations.variant and a number: write 'small-hybrid-3'"),
    ("ticks_per_day:", "tick_per_day:", "clock.tick_per_day: unknown key 'tick_per_day'; did you mean 'ticks_per_day'?"),
    ("agents: 2", "agents: two", "agents: found text 'two', expected a whole number from 1 to 1024"),
    ("agents: 2", "agents: 2.5", "agents: found 2.5, expected a whole number from 1 to 1024"),
    ("agents: 2", "agents: true", "agents: found true, expected a whole number from 1 to 1024"),
    ("agents: 2", "agents:", "agents: found nothing, expected a whole number from 1 to 1024"),
    ("agents: 2", "agents: [2]", "agents: found [2], expected a whole number from 1 to 1024"),
    ("agents: 2", "agents: 1025", "agents: found 1025, expected a whole number from 1 to 1024"),
    ("{hunger: 1.0}", "{hunger: 2.5}", "rewards.needs_weights.hunger: found 2.5, expected a number from 0.5 to 2"),
    ("tick: 0.2}", "tick: 0}", "rewards.clip.clip_per_tick: found 0, expected a number from 0.01 to 1"),
    ("[0.45, 0.95]", "[0.95, 0.45]", "needs.initial: found [0.95, 0.45], expected the lower bound first"),
    ("[0.45, 0.95]", "[0.45]", "needs.initial: found [0.45], expected a list of 2, each a number from 0 to 1"),
    ("[0.45, 0.95]", "0.45", "needs.initial: found 0.45, expected a list of 2, each a number from 0 to 1"),
    ("[0.45, 0.95]", "[0.45, 1.95]", "needs.initial[1]: found 1.95, expected a number from 0 to 1"),
    ("window: 11", "window: 10", "observations.local_window: found 10, expected an odd number, so that the agent stands in the middle"),
    ("variant: hybrid", "variant: hybird", "observations.variant: unknown name 'hybird'; did you mean 'hybrid'?"),
    ("utility: water", "utility: gas", "outages[0].utility: unknown name 'gas'; expected one of power, water"),
    ("day: 6.0", "day: .inf", "economy.rent_per_day: found .inf, expected a finite number"),
    ("day: 6.0", "day: 1e99", "economy.rent_per_day: found 1e+99, expected a number from 0 to 1000000000"),
    ("agents: 2", "agents: !!python/object:os.system 2", "agents: tag tag:yaml.org,2002:python/object:os.system; only plain values are read"),
    ("early: {", "Early: {", "jobs.Early: not a key that fits here; expected a name of small letters, digits and underscores"),
    ("workplace: till, start_tick: 480, ", "start_tick: 480, ", "jobs.early.workplace: missing key; expected a name of small letters, digits and underscores"),
    ("480, end_tick: 960", "480, end_tick: 480", "jobs.early: needs an end_tick after start_tick"),
    ("maps/small.yaml", "maps/smal.yaml", "map: configs/maps/smal.yaml does not exist: unknown file 'smal.yaml'; did you mean 'small.yaml'?"),
    ("maps/small.yaml", "plans/small.yaml", "map: configs/plans/small.yaml does not exist: there is no folder configs/plans"),
    ("{shelf: 0.2}", "{shelv: 0.2}", "economy.restock_cost.shelv: unknown object type 'shelv'; did you mean 'shelf'?"),
    ("till, start_tick: 480", "tilt, start_tick: 480", "jobs.early.workplace: unknown object type 'tilt'; did you mean 'till'?"),
    ("wage_rate: 0.03}", "wage_rate: 0.03, openings: 2}", "jobs.late.openings: the map has 2 'till' for 3 openings; draw more or lower the openings"),
    ("agents: 2", "agents: 3", "agents: 3 agents, but jobs have 2 openings; add openings or lower agents"),
    ("end_tick: 1440", "end_tick: 1441", "jobs.late.end_tick: lies beyond the day's 1440 ticks; the day is clock.ticks_per_day long"),
    ("[0, 10]", "[0, 1440]", "outages[0].start: lies beyond the day's 1440 ticks; the day is clock.ticks_per_day long"),
    ("agents: 2", "agents: 2\nstages: {relationships: OFF, social_rewards: C1}", "stages.social_rewards: found C1, but nobody has ties while stages.relationships is OFF; switch them on, or set this to OFF"),
    ("agents: 2", "agents: 2\npersonality: {patience: true}", "personality.patience: nobody has a personality while stages.relationships is OFF; switch them on or set this to false"),
    ("  initial: [0.45, 0.95]", "  decay_per_tick: {hunger: 0.05}", "needs.decay_per_tick: a day's needs take 2683 ticks (hunger 2160, hygiene 43, energy 480) and the longest shift 480, but the day has 1440; lower the rates or the shift"),
    ("0.02}", "0.014}", "jobs.early.wage_rate: a day's wage is 6.72, but rent 6.00 and needs 1.73 cost 7.73; raise the wage or lower rent or prices"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_town_with_a_mistake_is_refused(configs: Files, right: str, wrong: str, said: str) -> None:
    line = configs.spoil(TOWN, right, wrong) + wrong.count("\n")
    assert refusal(configs) == f"configs/towns/small.yaml:{line}: {said}"


def test_a_missing_key_is_reported_where_its_section_begins(configs: Files) -> None:
    configs.spoil(TOWN, "config_id: small-hybrid-1\n", "")
    assert refusal(configs) == "configs/towns/small.yaml:1: config_id: missing key; expected text"


def test_a_key_written_twice_is_refused_and_both_lines_named(configs: Files) -> None:
    first = configs.spoil(TOWN, "agents: 2\n", "agents: 2\nagents: 3\n")
    expected = f"configs/towns/small.yaml:{first + 1}: agents: duplicate key, first on line {first}; keep one of them"
    assert refusal(configs) == expected


def test_an_alias_is_refused(configs: Files) -> None:
    configs.spoil(TOWN, "config_id: small-hybrid-1", "config_id: &name small-hybrid-1")
    configs.spoil(TOWN, "variant: hybrid", "variant: *name")
    said = "observations.variant: an alias of what stands here; write the value out instead"
    assert refusal(configs) == f"configs/towns/small.yaml:1: {said}"


def test_broken_yaml_names_the_line(configs: Files) -> None:
    line = configs.spoil(TOWN, "prices: {groceries: 1.0}", "prices: {groceries: 1.0")
    assert refusal(configs).startswith(f"configs/towns/small.yaml:{line + 1}: not valid YAML: ")


def test_a_tab_is_named(configs: Files) -> None:
    line = configs.spoil(TOWN, "agents: 2\n", "agents:\n\t2\n")
    assert refusal(configs) == f"configs/towns/small.yaml:{line + 1}: not valid YAML: found a tab; indent with spaces"


@pytest.mark.parametrize(("content", "said"), [
    (b"- 1\n- 2\n", "configs/towns/small.yaml:1: found [1, 2], expected keys with values"),
    (b"\xff\xfe\x00", "configs/towns/small.yaml: not text; a configuration is YAML in UTF-8"),
    (b"", "configs/towns/small.yaml:1: config_id: missing key; expected text"),
    (b"a: \x07", "configs/towns/small.yaml: special characters are not allowed; write plain text in UTF-8"),
    (b"[" * 3000, "configs/towns/small.yaml: nested too deeply; a configuration is at most a dozen levels deep"),
])  # fmt: skip
def test_a_file_that_is_no_configuration_is_refused(configs: Files, content: bytes, said: str) -> None:
    (configs.root / TOWN).write_bytes(content)
    assert refusal(configs) == said


def test_a_missing_file_is_refused(configs: Files) -> None:
    (configs.root / TOWN).unlink()
    assert refusal(configs) == "configs/towns/small.yaml: no such file"


def test_a_number_with_an_exponent_is_a_number(configs: Files) -> None:
    configs.spoil(TOWN, "rent_per_day: 6.0", "rent_per_day: 6e0")
    assert load_config(configs.root / TOWN).economy.rent_per_day == 6.0


def test_a_need_that_nothing_restores_is_refused(configs: Files) -> None:
    configs.spoil("affordances/small.yaml", "effects: {hygiene: 0.6}", "effects: {energy: 0.6}")
    expected = "configs/affordances/small.yaml:7: affordances: nothing restores hygiene; add an affordance with effects: {hygiene: ...}"
    assert refusal(configs) == expected


def test_a_utility_that_no_work_depends_on_is_refused(configs: Files) -> None:
    line = configs.spoil("affordances/small.yaml", "till: {}", "till: {utility: power}")
    said = "objects.till.utility: people work at it (early), and work goes on in any outage; remove it, or name another workplace"
    assert refusal(configs) == f"configs/affordances/small.yaml:{line}: {said}"


def test_a_misspelt_price_names_the_manifest_and_the_nearest_price(configs: Files) -> None:
    line = configs.spoil("affordances/small.yaml", "price: groceries", "price: grocery")
    expected = f"configs/affordances/small.yaml:{line}: affordances.buy.price: unknown price 'grocery'; did you mean 'groceries'?"
    assert refusal(configs) == expected


def test_an_affordance_whose_object_stands_nowhere_is_refused(configs: Files) -> None:
    configs.spoil("maps/small.yaml", "#bhw#", "#bhh#")
    said = "no 'shower' stands on the map small; draw one or remove this affordance"
    assert refusal(configs) == f"configs/affordances/small.yaml:22: affordances.wash.object: {said}"


def test_an_object_that_the_manifest_lacks_is_refused_at_its_letter(configs: Files) -> None:
    line = configs.spoil("maps/small.yaml", "object: shelf}", "object: shelve}")
    said = "legend.g.object: unknown object type 'shelve'; did you mean 'shelf'?"
    assert refusal(configs) == f"configs/maps/small.yaml:{line}: {said}"


def test_more_agents_than_beds_are_refused(configs: Files) -> None:
    configs.spoil("maps/small.yaml", "#fhb#", "#fhh#")
    said = "agents: 2 agents, but the map has 1 places to sleep; draw more beds or lower agents"
    assert refusal(configs) == f"configs/towns/small.yaml:4: {said}"


def test_a_bed_in_the_street_is_refused(configs: Files) -> None:
    configs.spoil("maps/small.yaml", "b: {terrain: home, object: bed}", "b: {terrain: floor, object: bed}")
    assert (
        refusal(configs)
        == "configs/maps/small.yaml:14: rows[1]: the bed at column 1 stands in no home; put it on home terrain"
    )


def test_a_wrong_override_names_the_scenario_and_its_line(configs: Files) -> None:
    line = configs.spoil("scenarios/poor.yaml", "[0.0, 3.0]", "[0.0, much]")
    said = "overrides.economy.initial_wallet[1]: found text 'much', expected a number from 0 to 1000000000"
    assert refused(load_scenario, "poor", configs.root) == f"configs/scenarios/poor.yaml:{line}: {said}"


def test_a_misspelt_override_names_the_scenario_and_its_line(configs: Files) -> None:
    line = configs.spoil("scenarios/poor.yaml", "  agents: 1", "  agent: 1")
    said = "overrides.agent: unknown key 'agent'; did you mean 'agents'?"
    assert refused(load_scenario, "poor", configs.root) == f"configs/scenarios/poor.yaml:{line}: {said}"


def test_a_wrong_override_by_hand_names_its_key(configs: Files) -> None:
    assert (
        refused(load_config, configs.root / TOWN, {"clock": {"start_tick": -1}})
        == "overrides: clock.start_tick: found -1, expected a whole number from 0 to 100000"
    )


def test_an_unknown_scenario_is_refused_with_the_nearest(configs: Files) -> None:
    assert (
        refused(load_scenario, "pour", configs.root)
        == "configs/scenarios: unknown scenario 'pour'; did you mean 'poor'?"
    )


def test_a_scenario_that_is_not_called_as_its_file_is_refused(configs: Files) -> None:
    line = configs.spoil("scenarios/poor.yaml", "scenario: poor", "scenario: rich")
    said = "scenario: found 'rich', expected the file's own name 'poor'"
    assert refused(load_scenario, "poor", configs.root) == f"configs/scenarios/poor.yaml:{line}: {said}"


def test_a_scenario_of_a_missing_town_is_refused(configs: Files) -> None:
    line = configs.spoil("scenarios/poor.yaml", "small.yaml", "smalll.yaml")
    said = "town: configs/towns/smalll.yaml does not exist: unknown file 'smalll.yaml'; did you mean 'small.yaml'?"
    assert refused(load_scenario, "poor", configs.root) == f"configs/scenarios/poor.yaml:{line}: {said}"


def test_a_config_inside_a_shard_is_checked_like_a_file(configs: Files) -> None:
    text = load_config(configs.root / TOWN).model_dump_json().replace('"agents":2', '"agents":9')
    said = "agents: 9 agents, but jobs have 2 openings; add openings or lower agents"
    assert refused(embedded_config, text, "a.parquet") == f"a.parquet: embedded town config: {said}"


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is not JSON; the file is damaged, capture it again"),
    ('{"config_idd": "x"}', "config_idd: unknown key 'config_idd'; did you mean 'config_id'?"),
])  # fmt: skip
def test_a_damaged_config_inside_a_shard_is_refused(text: str, said: str) -> None:
    assert refused(embedded_config, text, "a.parquet") == f"a.parquet: embedded town config: {said}"


def test_a_file_of_no_known_kind_is_refused(configs: Files) -> None:
    path = configs.write("other.yaml", "colour: red\n")
    assert refused(check_config, path).startswith(
        "configs/other.yaml:1: no configuration of a known kind; expected one of the keys "
    )


def test_nothing_is_left_behind(configs: Files) -> None:
    configs.spoil(TOWN, "agents: 2", "agents: 0")
    before = sorted(Path().rglob("*"))
    refusal(configs)
    assert sorted(Path().rglob("*")) == before
