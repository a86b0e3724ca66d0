"""Files of the earlier system are refused with the remedy; it tells of every key and gives a file that loads."""

import json
import re
from pathlib import Path

import pytest
import yaml

from townlet_core.config import check_config, load_affordances, load_config, load_scenario
from townlet_core.config.documents import every_path
from townlet_core.config.explain import schema_at
from townlet_core.config.legacy.migrating import MIGRATIONS, migrate_config
from townlet_core.config.legacy.rules import Fate, Line, filled
from townlet_core.config.legacy.table import table_markdown
from townlet_core.config.legacy.towns import RULES
from townlet_core.config.schema import schema_json
from townlet_core.errors import ConfigError

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs"
EARLIER = Path(__file__).parent / "earlier"
TOWN, EVENTS, USES = (EARLIER / f"{name}.yaml" for name in ("town", "events", "uses"))


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def told(lines: tuple[Line, ...], key: str) -> Line:
    return next(line for line in lines if line.key == key)


@pytest.mark.parametrize(
    ("load", "file", "key"),
    [(load_config, TOWN, "features: "), (check_config, TOWN, "features: "), (check_config, EVENTS, "events: ")],
)
def test_an_earlier_file_is_refused_with_the_command_that_translates_it(load, file, key) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError) as refused:
        load(file)
    line = line_of(file, key.strip())
    assert str(refused.value).startswith(f"{file}:{line}: {key}this is a file of an earlier system")
    assert str(refused.value).endswith(f"townlet config migrate {file}")


def test_a_manifest_that_is_a_list_is_refused_too_even_when_a_town_names_it(tmp_path: Path) -> None:
    town = (CONFIGS / "towns" / "default.yaml").read_text().replace("../affordances/core.yaml", str(USES))
    (tmp_path / "town.yaml").write_text(town.replace("../", f"{CONFIGS}/"))
    for load, file in ((load_affordances, USES), (load_config, tmp_path / "town.yaml")):
        with pytest.raises(ConfigError, match=f"^{USES}:1: this is a file .* migrate {USES}$"):
            load(file)


def test_a_translated_town_loads_and_lives_by_the_old_values(tmp_path: Path) -> None:
    made = migrate_config(TOWN, tmp_path / "hamlet.yaml", CONFIGS)
    town = load_config(tmp_path / "hamlet.yaml")
    assert made.kind == "town"
    assert town.config_id == "hamlet-hybrid-1"
    assert (town.stages.relationships, town.stages.social_rewards) == ("B", "C2")
    assert town.rewards.needs_weights.hunger == 1.2
    assert town.needs.decay_per_tick.hunger == 0.002
    assert town.rewards.social.coeff_familiarity == 0.15
    assert town.economy.prices["groceries"] == pytest.approx(0.4)
    assert (town.relationships.max_ties, town.relationships.avoid_threshold) == (4, 0.5)
    assert town.observations.local_window == 9
    assert list(town.jobs) == ["cafe_help"]
    assert (town.jobs["cafe_help"].workplace, town.jobs["cafe_help"].openings, town.agents) == ("cafe_counter", 2, 2)


def test_every_key_of_the_old_file_is_told_of_at_its_line(tmp_path: Path) -> None:
    made = migrate_config(TOWN, None, CONFIGS)
    data = yaml.safe_load(TOWN.read_text())
    leaves = [path for path in every_path(data) if path and not isinstance(_at(data, path), dict | list)]
    keys = [line.key for line in made.lines]
    untold = [path for path in leaves if not any(_names(key, path) for key in keys)]
    assert not untold
    assert told(made.lines, "jobs.cafe_help.location").place == f"{TOWN}:{line_of(TOWN, 'cafe_help')}"
    assert told(made.lines, "seed").fate is Fate.NONE
    assert told(made.lines, "features.console.mode").text == "configs/console.yaml: mode: admin"


def _at(data, path):  # type: ignore[no-untyped-def]
    for part in path:
        data = data[part]
    return data


def _names(key: str, path: tuple[str | int, ...]) -> bool:
    """Whether a line's key is a path or a section above it."""
    parts = [str(part) for part in path]
    named = re.sub(r"\[(\d+)\]", r".\1", key).split(".")
    return parts[: len(named)] == named


def test_how_a_scene_began_is_how_the_town_opens(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    scene = TOWN.read_text().replace("position: [1, 1]", "position: [0, 1]")
    old.write_text(scene.replace("position: [2, 1], wallet: 2.0", "position: [12, 10], needs: {hunger: 0.2}"))
    lines = migrate_config(old, tmp_path / "new.yaml", CONFIGS).lines
    first, second = load_config(tmp_path / "new.yaml").opening.citizens.values()
    assert (first.wallet, second.tile, second.needs) == (2.0, (10, 12), {"hunger": 0.2})
    assert first.tile is None
    walled = told(lines, "scenario.agents[0].position")
    assert walled.fate is Fate.DECIDE
    assert "nobody can stand on row 1, column 0: it is wall; take a free tile beside it" in walled.text


def test_no_key_of_the_earlier_system_is_unknown(tmp_path: Path) -> None:
    made = migrate_config(EARLIER / "every_key.yaml", tmp_path / "new.yaml", CONFIGS)
    town = load_config(tmp_path / "new.yaml")
    assert [line.key for line in made.lines if "knew no such key" in line.text] == []
    assert (town.queues.age_priority_weight, town.hooks.allow_env) == (0.25, False)
    assert town.hooks.allow == ["my_town.meals"]


def test_a_misspelt_key_that_used_to_pass_silently_is_told() -> None:
    line = told(migrate_config(TOWN, None, CONFIGS).lines, "rewards.punctualty_bonus")
    assert line.fate is Fate.DECIDE
    assert "did you mean 'punctuality_bonus'?" in line.text


def test_a_value_that_makes_the_town_unfit_is_taken_back_and_left_to_a_person(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(TOWN.read_text().replace("hunger: 0.002", "hunger: 0.09").replace("max_edges: 4", "max_edges: 99"))
    made = migrate_config(old, tmp_path / "new.yaml", CONFIGS)
    town, default = load_config(tmp_path / "new.yaml"), load_config(CONFIGS / "towns" / "default.yaml")
    assert town.needs.decay_per_tick == default.needs.decay_per_tick
    assert town.relationships.max_ties == default.relationships.max_ties
    hungry, ties = told(made.lines, "rewards.decay_rates.hunger"), told(made.lines, "conflict.rivalry.max_edges")
    assert (hungry.fate, ties.fate) == (Fate.DECIDE, Fate.DECIDE)
    assert "a day's needs take" in hungry.text
    assert "found 99, expected a whole number from 1 to 32" in ties.text
    assert town.jobs["cafe_help"].wage_rate == 0.03


def test_rates_that_no_day_has_time_for_are_taken_back_together(tmp_path: Path) -> None:
    old, rates = tmp_path / "old.yaml", "hunger: 0.01, hygiene: 0.005, energy: 0.008"
    old.write_text(TOWN.read_text().replace("hunger: 0.002, hygiene: 0.001, energy: 0.001", rates))
    made = migrate_config(old, tmp_path / "new.yaml", CONFIGS)
    town = load_config(tmp_path / "new.yaml")
    assert town.needs.decay_per_tick == load_config(CONFIGS / "towns" / "default.yaml").needs.decay_per_tick
    told_of = [told(made.lines, f"rewards.decay_rates.{need}") for need in ("hunger", "hygiene", "energy")]
    assert all(line.fate is Fate.DECIDE and "the day has 1440" in line.text for line in told_of)


def test_the_report_names_the_town_that_gives_the_rest() -> None:
    assert f"as in {CONFIGS / 'towns' / 'default.yaml'}" in told(migrate_config(TOWN, None, CONFIGS).lines, "").text


def test_early_shifts_are_moved_to_where_somebody_can_be_there(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    early = TOWN.read_text().replace("start_tick: 420, end_tick: 780", "start_tick: 10, end_tick: 30")
    old.write_text(early + "behavior: {job_arrival_buffer: 5}\n")
    made = migrate_config(old, tmp_path / "new.yaml", CONFIGS)
    town = load_config(tmp_path / "new.yaml")
    job = town.jobs["cafe_help"]
    assert (job.start_tick, job.end_tick, town.employment.pre_shift_ticks) == (60, 80, 60)
    assert any("shifts are 50 ticks later" in line.text for line in made.lines)


def test_jobs_that_cannot_be_worked_here_give_way_to_those_of_the_default_town(tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(TOWN.read_text().replace("end_tick: 780", "end_tick: 300"))
    made = migrate_config(old, tmp_path / "new.yaml", CONFIGS)
    assert load_config(tmp_path / "new.yaml").jobs == load_config(CONFIGS / "towns" / "default.yaml").jobs
    assert told(made.lines, "jobs.cafe_help.end_tick").fate is Fate.DECIDE


def test_translated_perturbations_are_a_scenario_that_loads(tmp_path: Path) -> None:
    made = migrate_config(EVENTS, tmp_path / "dark.yaml", CONFIGS)
    scenario = load_scenario(tmp_path / "dark.yaml")
    assert made.kind == "scenario"
    events = scenario.config.perturbations.events
    assert (events["dark"].kind, events["dark"].duration, events["dark"].prob_per_day) == ("blackout", (10, 40), 0.25)
    assert (events["dear"].duration, events["dear"].magnitude, events["dear"].targets) == (
        (60, 60),
        (1.5, 2.0),
        ["cafe"],
    )
    assert (events["party"].who, events["party"].where) == ("top_rivals", "cafe_table")
    assert scenario.config.perturbations.grace_window_ticks == 30
    assert told(made.lines, "grace_widow_ticks").fate is Fate.DECIDE
    inherited = load_config(CONFIGS / "towns" / "default.yaml").perturbations.events.keys()
    assert all(events[name].prob_per_day == 0.0 for name in inherited - {"dark", "dear", "party"})
    assert "never happen here" in told(made.lines, "events").text


def test_a_translated_manifest_loads_with_what_its_hooks_used_to_do(tmp_path: Path) -> None:
    made = migrate_config(USES, tmp_path / "uses.yaml", CONFIGS)
    manifest = load_affordances(tmp_path / "uses.yaml")
    assert manifest.objects["basin"].utility == "water"
    assert manifest.affordances["wash_hands"].option == "wash"
    assert manifest.affordances["wash_hands"].price == "wash_hands"
    assert manifest.affordances["wash_hands"].requires == ["wallet > 3", "power_on"]
    assert manifest.affordances["eat_meal"].takes_stock == 1
    assert manifest.affordances["eat_meal"].requires == []
    assert manifest.affordances["eat_meal"].hooks.after == ["share_meal"]
    assert manifest.affordances["eat_meal"].hooks.before == []
    assert told(made.lines, "[1].preconds[0]").text == "only who holds the reservation may use an object"
    assert told(made.lines, "[1].hooks.after").text.startswith("sing was code of yours")


EARLIER_USES = """
- {type: object, id: shower_1, object_type: shower}
- {id: use_shower, object_type: shower, duration: 30, effects: {hygiene: 0.45, money: -0.2}}
- {id: eat_meal, object_type: fridge, duration: 15, effects: {hunger: 0.4, money: -0.4}}
- {id: cook_meal, object_type: stove, duration: 40, effects: {hunger: 0.1}}
- {id: rest_sleep, object_type: bed, duration: 60, effects: {energy: 0.8}}
"""


def test_a_translated_manifest_can_be_named_by_a_town_with_the_prices_of_its_report(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(EARLIER_USES)
    made = migrate_config(tmp_path / "old.yaml", tmp_path / "uses.yaml", CONFIGS)
    manifest = load_affordances(tmp_path / "uses.yaml")
    assert manifest.affordances["use_shower"].duration == 30
    assert {"work_stint", "buy_groceries"} <= manifest.affordances.keys()
    assert any("those of the default town" in line.text for line in made.lines)
    asked = re.findall(r"add to the town economy.prices: {(\w+): ([\d.]+)}", "".join(map(str, made.lines)))
    prices = {name: float(price) for name, price in asked}
    assert prices == {"use_shower": 0.2, "eat_meal": 0.4}
    migrate_config(TOWN, tmp_path / "town.yaml", CONFIGS)
    data = yaml.safe_load((tmp_path / "town.yaml").read_text())
    data["affordances"] = "uses.yaml"
    data["economy"]["prices"] |= prices
    (tmp_path / "town.yaml").write_text(yaml.safe_dump(data))
    assert load_config(tmp_path / "town.yaml").affordances == manifest


def test_preconditions_become_sentences_of_today_and_what_has_none_is_named(tmp_path: Path) -> None:
    made = migrate_config(EARLIER / "conditions.yaml", tmp_path / "new.yaml", CONFIGS)
    uses = load_affordances(tmp_path / "new.yaml").affordances
    assert uses["doze"].requires == ["needs.energy < 0.5"]
    assert uses["nap"].requires == [
        "agent.job in ['grocer'] and agent.attendance >= 0.5",
        "true == agent.on_shift or agent.shift_state in ['await_start', 'on_time']",
        "not occupied",
        "not power_on",
        "object.stock < 3 or stock > 0",
        "agent.position[0] <= 10",
    ]
    left = {line.key.rpartition("[")[2].rstrip("]"): line.text for line in made.lines if line.fate is Fate.DECIDE}
    assert left == {
        "6": "\"inventory['meals_cooked'] > 2\" has no equivalent: there is no 'inventory.meals_cooked'; "
        "ask for agent.ingredients or agent.home_meals",
        "7": "'agent.lateness_counter < 2' has no equivalent: there is no 'agent.lateness_counter'; "
        "it counted late shifts; agent.lateness counts the late ticks of one",
        "8": "'reservation_holder == agent.agent_id' has no equivalent: there is no 'reservation_holder'; "
        "whoever uses an object holds it",
        "9": "\"object.object_type == 'bad'\" has no equivalent: unknown object type 'bad'; did you mean 'bed'?",
        "10": "'wallet' has no equivalent: is a number and not true or false; compare it with something",
        "11": "'len(queue) == 0' has no equivalent: cannot use 'len(queue)': the language has no calls",
        "12": "'needs.hunger <' has no equivalent: it cannot be read",
    }


def test_the_new_file_says_where_it_comes_from_and_which_step_made_it(tmp_path: Path) -> None:
    for file in (TOWN, EVENTS, USES):
        made = migrate_config(file, tmp_path / file.name, CONFIGS)
        text = (tmp_path / file.name).read_text()
        assert f"# migrated_from: {file.name} sha256:" in text
        assert f"# migrations: {made.step}\n" in text
        assert made.step in {migration.identifier for migration in MIGRATIONS}
    assert "# Two people, one counter." in (tmp_path / TOWN.name).read_text()


def test_nothing_is_overwritten_and_nothing_of_today_is_migrated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no file of the earlier system"):
        migrate_config(CONFIGS / "towns" / "default.yaml", tmp_path / "new.yaml", CONFIGS)
    (tmp_path / "new.yaml").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        migrate_config(TOWN, tmp_path / "new.yaml", CONFIGS)
    assert (tmp_path / "new.yaml").read_text() == "mine"


def test_a_file_that_would_not_load_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(EVENTS.read_text().replace("0.25", "2.5"))
    with pytest.raises(ConfigError, match=r"new.yaml:\d+: .*prob_per_day: found 2.5"):
        migrate_config(tmp_path / "old.yaml", tmp_path / "new.yaml", CONFIGS)
    assert not (tmp_path / "new.yaml").exists()


def test_no_token_of_an_old_file_is_shown() -> None:
    made = migrate_config(TOWN, None, CONFIGS)
    assert "hush" not in made.text + "".join(map(str, made.lines))


def test_every_key_that_a_rule_leads_to_exists() -> None:
    """A rule whose target was renamed would send people to a key that is refused."""
    kinds = {"configs/training/quick.yaml": "training"}
    for rule in RULES:
        if not rule.new:
            continue
        kind = "town" if not rule.file else kinds.get(rule.file, Path(rule.file).stem)
        name = "0" if "agent_*" in rule.new else "hunger" if "needs" in rule.new else "enabled"
        path = filled(rule.new, (name,) * rule.new.count("*"))
        assert schema_at(json.loads(schema_json(kind)), path), rule


def test_the_documentation_has_the_table_of_all_keys() -> None:
    assert table_markdown() in (ROOT / "docs" / "config.md").read_text(), (
        "paste what legacy.table.table_markdown() gives"
    )
