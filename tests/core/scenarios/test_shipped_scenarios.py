"""Every shipped scenario happens as it promises, and a town that is broken on purpose is found out."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.scenarios.conftest import CONFIGS, Altered, broken
from townlet_core.config import captured_scenarios, load_scenario, scenario_names
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.scenarios import check
from townlet_core.scenarios.rotation import RotationProbe
from townlet_core.world.state import WAITING


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


def test_where_prices_stay_as_they_are_nothing_spikes(altered: Altered) -> None:
    usual = altered("price_spike", ("prob_per_day: 1.0", "prob_per_day: 0.0"))
    assert broken(usual) == {"prices spike once", "and come down", "a meal costs twice as much"}


def test_where_nobody_arrives_nobody_is_found_at_work_or_in_bed(altered: Altered) -> None:
    """Those who come at the end of the day have neither slept nor worked when it is over."""
    late = broken(altered("mass_arrival", ("[60, 60, 60, 75, 75, 75]", "[1400, 1400, 1400, 1410, 1410, 1410]")))
    names = ("the first newcomer", "the second", "the third", "the fourth", "the fifth", "the sixth")
    assert {"the first ones when they should", "everybody works for hours"} <= late
    assert {f"{name} sleeps in a bed" for name in names} <= late
    assert "all six come" not in late
    assert "all six come" in broken(altered("mass_arrival", ("[60, 60, 60, 75, 75, 75]", "[60, 60]")))


def test_a_shower_for_everybody_makes_no_queue(altered: Altered) -> None:
    plenty = broken(altered("one_shower", ("maps/one_shower.yaml", "maps/default.yaml")))
    assert plenty == {"there is a queue"}


def test_those_who_give_up_at_the_shower_are_noticed(altered: Altered) -> None:
    restless = broken(altered("one_shower", ("overrides:", "overrides:\n  queues: {patience_ticks: 10}")))
    assert "hardly anybody gives up" in restless


def test_where_the_water_is_off_till_night_hardly_anybody_washes(altered: Altered) -> None:
    dry = "overrides:\n  outages: [{utility: water, start: [361, 361], ticks: [1000, 1000]}]"
    found = broken(altered("one_shower", ("overrides:", dry), ("ticks: 1440", "ticks: 900")))
    assert {"nearly all get to wash", "there is a queue"} <= found


def test_a_shower_that_takes_too_long_wears_patience_out(altered: Altered, tmp_path: Path) -> None:
    manifest, usual = (CONFIGS / "affordances" / "core.yaml").read_text(), "object: shower\n    duration: 20"
    assert usual in manifest
    (tmp_path / "slow.yaml").write_text(manifest.replace(usual, "object: shower\n    duration: 45"))
    slow = altered("one_shower", ("overrides:", f"overrides:\n  affordances: {tmp_path / 'slow.yaml'}"))
    assert broken(slow) == {"most days patience lasts for everybody", "hardly anybody gives up"}


def test_a_day_that_is_not_ordinary_is_noticed(altered: Altered) -> None:
    silent = 'overrides: {stages: {relationships: "OFF", social_rewards: "OFF"}}'
    assert broken(altered("ordinary_day", ("overrides: {}", silent))) == {"people talk"}
    dark = "overrides: {outages: [{utility: power, start: [600, 600], ticks: [60, 60]}]}"
    assert "most days nothing breaks" in broken(altered("ordinary_day", ("overrides: {}", dark)))
    stormy = "overrides: {weather: {start: storm, kinds: {storm: {turns_to: {}, pause_every: 2}}}}"
    assert "people come to work" in broken(altered("ordinary_day", ("overrides: {}", stormy)))


def test_where_the_power_stays_on_no_stove_goes_out(altered: Altered) -> None:
    steady = altered("stove_outage", ("probability: 1.0", "probability: 0.0"))
    assert broken(steady) == {"the power fails", "it comes back"}


def test_an_outage_that_lasts_to_the_end_is_noticed(altered: Altered) -> None:
    late = ("start: [360, 900], ticks: [180, 480]", "start: [900, 900], ticks: [480, 480]")
    assert broken(altered("stove_outage", late, ("ticks: 1440", "ticks: 900"))) == {
        "it comes back",
        "and is there in the end",
    }


def test_whoever_still_waits_in_the_end_has_waited(altered: Altered) -> None:
    sim = Simulation(altered("queue_rotation").config, towns=4, seed=1)
    showers = tuple(k for k, name in enumerate(sim.names.fixtures) if name.startswith("shower"))
    probe, teacher, since = RotationProbe(showers, "longest_wait", sim), Teacher(sim), 0
    while since < 5:
        sim.advance(teacher.act())
        probe.note(sim, sim.events.rows)
        since += bool((sim.agents["phase"] == WAITING).any())
    waiting = sim.agents["phase"] == WAITING
    waited = np.where(waiting, sim.state.towns["tick"][:, None] - sim.agents["queued_at"], 0).max(axis=1)
    assert waited.max() >= 4
    assert (probe.values(sim)[:, 0] == waited).all()
