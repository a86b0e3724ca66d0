"""What a reference could do in the golden towns, a candidate must still do; what it forgot is named."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import Scenario, load_scenario
from townlet_core.config.rehearsal import load_rehearsal
from townlet_core.core import Simulation
from townlet_core.policy.acting import Policy
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.careless import careless
from townlet_core.stability.forgetting import GoldenReport, judge_forgetting
from townlet_core.stability.golden import Lived, golden_seed, lived_figures, promise, roll_out

CONFIGS = Path(__file__).parents[3] / "configs"
RULES = load_rehearsal(CONFIGS / "rehearsal.yaml").golden
SHORT = RULES.model_copy(update={"towns": 6, "bands": {name: RULES.bands[name] for name in ("return", "attendance")}})


@cache
def scenarios() -> list[Scenario]:
    return [load_scenario(name, CONFIGS) for name in sorted(RULES.scenarios)]


def forgetful(sim: Simulation) -> Policy:
    """The teacher everywhere but where one shower serves all: there it takes any legal option."""
    (crowded,) = [one.config.map for one in scenarios() if one.name == "one_shower"]
    return careless(Teacher, 1.0 if sim.config.map == crowded else 0.0, 3)(sim)


@pytest.fixture(scope="module")
def sound() -> Lived:
    return lived_figures(roll_out(Teacher, scenarios(), SHORT).towns)


def test_who_acts_at_random_in_one_scenario_of_four_forgot_that_one_and_no_other(sound: Lived) -> None:
    candidate = lived_figures(roll_out(forgetful, scenarios(), SHORT).towns)
    criteria = judge_forgetting(SHORT, scenarios(), candidate, {"townlet-old": sound})
    report = GoldenReport(plan="p", engine="e", reference="releases", policies={}, left_out={}, criteria=criteria)
    assert not report.holds
    assert {one.name.split(".")[1] for one in report.broken} == {"one_shower"}
    (attendance,) = [one for one in report.broken if one.name == "golden.one_shower.attendance"]
    reached = float(sound["one_shower", "attendance"].mean())
    assert attendance.verdict == "fail"
    assert attendance.bound == pytest.approx(reached - SHORT.bands["attendance"].margin)
    assert attendance.value is not None
    assert attendance.value < reached / 2
    assert f"attendance in one_shower is {attendance.value:.4g}, at least" in attendance.reason
    assert f"townlet-old: {reached:.4g}" in attendance.reason


def test_the_same_policy_forgot_nothing_and_gives_the_same_rollouts_again(sound: Lived) -> None:
    again = roll_out(Teacher, scenarios(), SHORT, threads=2)
    assert all(np.array_equal(values, sound[place]) for place, values in lived_figures(again.towns).items())
    criteria = judge_forgetting(SHORT, scenarios(), lived_figures(again.towns), {"townlet-old": sound})
    assert {one.verdict for one in criteria} == {"pass"}


def test_the_choices_of_a_rollout_are_those_of_its_decisions_and_nothing_else(sound: Lived) -> None:
    one = [load_scenario("ordinary_day", CONFIGS)]
    rules = SHORT.model_copy(update={"towns": 2})
    rows = roll_out(Teacher, one, rules).decisions.to_pylist()
    sim = Simulation(one[0].config, rules.towns, golden_seed("ordinary_day", rules))
    sim.reset()
    teacher, told = Teacher(sim), []
    for tick in range(300):
        actions = teacher.act(sim)
        for town, agent in np.argwhere(sim.decision):
            told.append((town, agent, tick, sim.layout.actions[actions[town, agent]]))
        sim.step(actions)
    found = [(row["town"], row["agent"], row["tick"], row["action"]) for row in rows if row["tick"] < 300]
    assert found == told


def constant(level: float, towns: int = 4) -> Lived:
    names = {*RULES.bands, *(promise(number) for one in scenarios() for number in range(1, len(one.expectations) + 1))}
    return {(one.name, name): np.full(towns, level) for one in scenarios() for name in names}


def changed(lived: Lived, place: tuple[str, str], level: float) -> Lived:
    return {**lived, place: np.full_like(lived[place], level)}


@pytest.mark.parametrize(("lost", "verdict"), [(0.07, "pass"), (0.09, "fail")])
def test_the_best_of_several_releases_sets_the_bar_and_the_band_is_kept_to_the_edge(lost: float, verdict: str) -> None:
    place = ("low_money", "attendance")
    references = {"r1": changed(constant(1.0), place, 0.9), "r2": changed(constant(1.0), place, 0.6)}
    criteria = judge_forgetting(RULES, scenarios(), changed(constant(1.0), place, 0.9 - lost), references)
    (judged,) = [one for one in criteria if one.name == "golden.low_money.attendance"]
    assert (judged.verdict, judged.bound) == (verdict, pytest.approx(0.9 - RULES.bands["attendance"].margin))
    assert "r1: 0.9" in judged.reason


def test_a_promise_is_owed_as_often_as_the_scenario_asks_or_the_reference_kept_it_if_that_is_less() -> None:
    number, owed = next(
        (count, one.demand.share_of_towns)
        for count, one in enumerate(load_scenario("ordinary_day", CONFIGS).expectations, start=1)
        if one.demand.share_of_towns < 1.0
    )
    place = ("ordinary_day", promise(number))
    for reached, bound in ((1.0, owed), (owed / 2, owed / 2)):
        criteria = judge_forgetting(RULES, scenarios(), constant(1.0), {"r": changed(constant(1.0), place, reached)})
        (judged,) = [one for one in criteria if one.name == f"golden.ordinary_day.{promise(number)}"]
        assert judged.bound == pytest.approx(bound - RULES.expectations)


@pytest.mark.parametrize("who", ["candidate", "reference"])
def test_a_figure_that_was_not_measured_holds_the_release(who: str) -> None:
    place = ("one_shower", "return")
    gap = {**constant(1.0), place: np.array([1.0, np.nan])}
    candidate, reference = (gap, constant(1.0)) if who == "candidate" else (constant(1.0), gap)
    criteria = judge_forgetting(RULES, scenarios(), candidate, {"r": reference})
    assert [(one.name, one.verdict) for one in criteria if one.verdict != "pass"] == [
        ("golden.one_shower.return", "hold")
    ]


def test_without_any_reference_nothing_is_let_through() -> None:
    (held,) = judge_forgetting(RULES, scenarios(), constant(1.0), {})
    assert held.verdict == "hold"


def test_the_golden_towns_are_those_of_no_other_use() -> None:
    from townlet_core.datasets.capture import capture_seed
    from townlet_core.stability.evaluation import FIRST, window_seed

    seeds = {golden_seed(name, RULES) for name in RULES.scenarios}
    others = {window_seed(name, RULES.seed, follows, 1) for name in RULES.scenarios for follows in (FIRST, "9" * 64)}
    others |= {
        capture_seed(name, str(RULES.seed), use) for name in RULES.scenarios for use in ("capture", "calibration")
    }
    assert len(seeds) == len(RULES.scenarios)
    assert not seeds & others
