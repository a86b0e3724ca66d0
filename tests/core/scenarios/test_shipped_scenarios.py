"""Every shipped scenario happens as it promises, and a town that is broken on purpose is found out."""

import pytest

from tests.core.scenarios.conftest import CONFIGS, Altered, broken
from townlet_core.config import captured_scenarios, load_scenario, scenario_names
from townlet_core.policy.teacher import Teacher
from townlet_core.scenarios import check


@pytest.mark.parametrize("name", scenario_names(CONFIGS))
def test_a_shipped_scenario_keeps_its_promises(name: str) -> None:
    report = check(load_scenario(name, CONFIGS), Teacher)
    assert report.met, [verdict for verdict in report.verdicts if not verdict.met]


@pytest.mark.parametrize("name", sorted({*scenario_names(CONFIGS)} - {*captured_scenarios(CONFIGS)}))
def test_a_stress_scenario_does_not_hang_on_its_seed(name: str) -> None:
    scenario = load_scenario(name, CONFIGS)
    for seed in (2, 3):
        assert check(scenario._replace(check=scenario.check.model_copy(update={"seed": seed})), Teacher).met


def test_without_ingredients_there_is_no_breakfast(altered: Altered) -> None:
    hungry = altered("kitchen_breakfast", ("ingredients: 2", "ingredients: 0"))
    assert broken(hungry) == {"breakfast is cooked, then eaten", "both eat at home"}


def test_a_shower_without_water_does_not_rotate(altered: Altered) -> None:
    dry = "outages: [{utility: water, start: [1082, 1082], ticks: [300, 300]}]\n  opening:"
    found = broken(altered("queue_rotation", ("opening:", dry)))
    assert {"all three get their turn", "all of them are clean"} <= found
    assert "nobody's shower is cut short" not in found


def test_a_shower_that_is_cut_short_is_noticed(altered: Altered) -> None:
    short = "outages: [{utility: water, start: [1090, 1090], ticks: [5, 5]}]\n  opening:"
    assert "nobody's shower is cut short" in broken(altered("queue_rotation", ("opening:", short)))


def test_a_clerk_who_lives_next_door_is_not_late(altered: Altered) -> None:
    punctual = altered("late_clerk", ("tile: [2, 1]", "beside: desk_2"))
    expected = {"the other is late", "nobody else is", "by some minutes", "lateness withholds wages"}
    assert broken(punctual) == expected | {"lateness is fined"}


def test_a_grudge_that_does_not_fade_is_noticed(altered: Altered) -> None:
    bitter = altered("rivalry_decay", ("rivalry: 0.002", "rivalry: 0.0"))
    assert broken(bitter) == {"their rivalry falls", "on both sides", "below the threshold of avoidance"}


def test_where_nobody_is_a_rival_nobody_is_avoided(altered: Altered) -> None:
    friendly = altered("rivalry_decay", ("rivalry: 0.95}}", "trust: 0.9}}"))
    assert "rivals avoid each other" in broken(friendly)


def test_a_citizen_with_something_to_do_does_not_wait(altered: Altered) -> None:
    busy = altered("observation_baseline", ("hunger: 1.0", "hunger: 0.3"))
    assert {"it waits", "hunger comes slowly", "nothing happens to it"} <= broken(busy)


def test_without_an_outage_nothing_fails(altered: Altered) -> None:
    steady = altered("outage_during_use", ("probability: 1.0", "probability: 0.0"))
    lost = {"what was in the pan is lost", "one dish is cooked"}
    assert broken(steady) - lost == {"the outage ends the use, and the citizen makes up for it", "it fails once"}


def test_a_death_is_noticed(altered: Altered) -> None:
    starving = "opening: {citizens: {agent_3: {needs: {hunger: 0.0}}}}\n  economy:"
    assert "everybody lives" in broken(altered("low_money", ("economy:", starving), ("1440", "10")))
