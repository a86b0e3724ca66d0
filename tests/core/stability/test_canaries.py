"""Every canary calls in a town that is driven into its trouble, and is silent afterwards and in ordinary life."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.core.telemetry.streams import ROOT, default_town
from townlet_core.config import Option, TownConfig, load_config
from townlet_core.config.telemetry import CanaryRules, RateRules, StarvationRules, load_telemetry
from townlet_core.core import Simulation
from townlet_core.errors import ConfigError
from townlet_core.policy.teacher import Teacher
from townlet_core.stability.canaries import Canaries
from townlet_core.telemetry.rolling import RollingSums

RULES = load_telemetry(ROOT / "configs/telemetry.yaml").canaries
Actions = NDArray[np.int8]
Act = Callable[[Simulation], Actions]


class Watched(NamedTuple):
    """Towns with canaries, and which of them called in the first town at each tick."""

    sim: Simulation
    canaries: Canaries
    calls: list[set[str]]

    def live(self, ticks: int, act: Act) -> set[str]:
        """Live for some ticks; return every canary that called on the way."""
        for _ in range(ticks):
            self.sim.step(act(self.sim))
            self.canaries.observe()
            self.calls.append(set(self.canaries.calling()))
        return set().union(*self.calls[-ticks:])


def watched(town: TownConfig | None = None, towns: int = 1, seed: int = 3) -> Watched:
    sim = Simulation(town or default_town(9), towns, seed)
    return Watched(sim, Canaries(sim, RULES), [])


def teacher(sim: Simulation) -> Actions:
    return Teacher(sim).act()


def everybody(option: Option) -> Act:
    return lambda sim: np.full(sim.shape, int(option), np.int8)


def whims(seed: int) -> Act:
    """Any option, possible or not."""
    rng = np.random.default_rng(seed)
    return lambda sim: rng.integers(0, len(Option), sim.shape).astype(np.int8)


def fed(act: Act) -> Act:
    """Let nobody die, whatever they do."""

    def acting(sim: Simulation) -> Actions:
        sim.agents["needs"] = 0.7
        return act(sim)

    return acting


def changed(town: TownConfig, **sections: Any) -> TownConfig:
    """A town with other values in its configuration, checked as if they came from a file."""
    data = town.model_dump(mode="json")
    for section, values in sections.items():
        data[section] = {**data[section], **values} if isinstance(values, dict) else values
    return TownConfig.model_validate_json(json.dumps(data))


@pytest.mark.parametrize("seed", [1, 7, 2026])
def test_ordinary_life_keeps_every_canary_silent(seed: int) -> None:
    towns = watched(default_town(2), towns=8, seed=seed)
    policy, called = Teacher(towns.sim), set[str]()
    for _ in range(2 * 1440):
        towns.sim.advance(policy.act())
        towns.canaries.observe()
        for town in range(8):
            called |= set(towns.canaries.calling(town))
    assert called == set()


def test_hunger_calls_before_anybody_dies_and_falls_silent_when_it_is_over() -> None:
    town = watched()
    while not town.live(1, everybody(Option.IDLE)) & {"starvation"}:
        assert town.sim.tick < 1440
    assert town.sim.agents["alive"].all()
    since = town.canaries.calling()["starvation"]
    assert since == 360 + town.sim.tick
    town.live(1100, fed(teacher))
    assert "starvation" not in town.calls[-1]


def test_deaths_call_and_those_who_are_dead_do_not_call_for_ever() -> None:
    closed = {"exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": {"enabled": False}}
    town = watched(changed(default_town(9), lifecycle=closed))
    assert town.live(900, everybody(Option.IDLE)) >= {"starvation", "reward_variance"}
    assert not town.sim.agents["alive"].any()
    town.live(1100, everybody(Option.IDLE))
    assert not town.calls[-1] & {"starvation", "reward_variance"}


def test_erratic_rewards_call_until_the_window_has_passed() -> None:
    """Everybody is desperate in one hour and content in the next, so rewards jump."""
    town = watched()

    def jump(sim: Simulation) -> Actions:
        sim.agents["needs"] = 0.05 if sim.tick // 60 % 2 else 1.0
        return teacher(sim)

    assert "reward_variance" not in town.live(300, fed(teacher))
    assert "reward_variance" in town.live(1000, jump)
    town.live(1100, fed(teacher))
    assert "reward_variance" not in town.calls[-1]


def test_whims_call_thrash_and_good_sense_ends_it() -> None:
    town = watched(changed(default_town(9), options={"idle_ticks": 1}))
    assert "option_thrash" in town.live(700, fed(whims(5)))
    town.live(700, fed(teacher))
    assert "option_thrash" not in town.calls[-1]


def test_a_crowd_at_the_showers_calls_queue_pressure() -> None:
    town = watched()
    assert "queue_pressure" in town.live(600, fed(everybody(Option.WASH)))
    town.live(700, fed(everybody(Option.IDLE)))
    assert "queue_pressure" not in town.calls[-1]


def test_cuts_of_the_water_call_affordance_failures() -> None:
    cuts = [{"utility": "water", "start": [400 + 40 * n, 400 + 40 * n], "ticks": [10, 10]} for n in range(12)]
    town = watched(changed(default_town(9), outages=cuts))
    assert "affordance_failures" in town.live(700, fed(everybody(Option.WASH)))
    town.live(2 * 1440, fed(everybody(Option.IDLE)))
    assert "affordance_failures" not in town.calls[-1]


def test_a_town_that_does_not_go_to_work_calls_lateness() -> None:
    town = watched()
    assert "lateness_spike" in town.live(1000, fed(everybody(Option.IDLE)))
    town.live(2 * 1440, fed(teacher))
    assert "lateness_spike" not in town.calls[-1]


def test_a_town_of_rivals_calls_and_is_quiet_when_the_grudges_have_faded() -> None:
    grudges = {f"agent_{n}": {"mutual": False, "rivalry": 1.0} for n in range(2, 5)}
    town = watched(changed(default_town(9), opening={"citizens": {"agent_1": {"ties": grudges}}}))
    hurt = town.sim.state.ties["rivalry"][0, 0].copy()
    assert (hurt >= 0.7).sum() == 3

    def unforgiving(sim: Simulation) -> Actions:
        sim.state.ties["rivalry"][0, 0] = hurt
        return everybody(Option.IDLE)(sim)

    assert "rivalry_spike" in town.live(300, fed(unforgiving))
    town.live(700, fed(everybody(Option.IDLE)))
    assert "rivalry_spike" not in town.calls[-1]


def test_a_town_that_stays_at_home_calls_dismissals_until_they_are_through() -> None:
    town = watched(default_town(9))
    assert "dismissals" in town.live(4 * 1440, fed(everybody(Option.IDLE)))
    town.live(3 * 1440, fed(teacher))
    assert "dismissals" not in town.calls[-1]


def test_a_clip_that_is_too_tight_calls_and_a_content_town_is_quiet_again() -> None:
    tight = changed(default_town(9), rewards={"clip": {"clip_per_tick": 0.015, "clip_per_episode": 200.0}})
    town = watched(tight)

    def desperate(sim: Simulation) -> Actions:
        sim.agents["needs"] = 0.05
        return everybody(Option.IDLE)(sim)

    assert "clipped_rewards" in town.live(200, desperate)
    town.live(1500, fed(everybody(Option.IDLE)))
    assert "clipped_rewards" not in town.calls[-1]


def test_slots_that_had_no_rest_call_until_rested_ones_outweigh_them() -> None:
    """One citizen starves again and again where two slots are to spare, each resting longer than anybody lives."""
    rules = {"exits_per_day": 0, "exit_cooldown_ticks": 0}
    slots = {"max_slots": 10, "cooldown_ticks": 10_000, "reuse_warning_threshold": 0.25}
    town = watched(changed(default_town(9), lifecycle=rules, embedding_allocator=slots))

    def starving(sim: Simulation) -> Actions:
        sim.agents["needs"] = 0.7
        sim.agents["needs"][:, 0, 0] = 0.0
        return everybody(Option.IDLE)(sim)

    while town.sim.state.towns["people"][0] < 10:
        assert "slot_reuse" not in town.live(1, starving)
    assert "slot_reuse" in town.live(200, starving)
    assert town.canaries.ever_called()["slot_reuse"].all()
    while town.sim.kpis()["slot_reuse"][0] > 0.25:
        freed = town.sim.state.towns["slot_freed"]
        freed[freed >= 0] = -(2**30)
        town.live(1, starving)
    assert "slot_reuse" not in town.calls[-1]


def test_each_town_has_its_own_canaries() -> None:
    towns = watched(towns=2)

    def one_idles(sim: Simulation) -> Actions:
        actions = Teacher(sim).act().copy()
        actions[1] = 0
        return actions

    towns.live(900, one_idles)
    assert "starvation" in towns.canaries.calling(1)
    assert towns.canaries.calling(0) == {}


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ({"starvation": StarvationRules(hunger=0.03)}, "canaries.starvation.hunger: 0.03 can never be seen"),
        ({"reward_variance": RateRules(window_ticks=999, max=0.5)}, "canaries.reward_variance.max: 0.5 can never"),
        ({"option_thrash": RateRules(window_ticks=999, max=1)}, "canaries.option_thrash.max: 1 can never be passed"),
        (
            {"clipped_rewards": RateRules(window_ticks=999, max=1)},
            "canaries.clipped_rewards.max: 1 can never be passed",
        ),
        (
            {"lateness_spike": RateRules(window_ticks=999, max=30)},
            "canaries.lateness_spike.max: 30 can never be passed",
        ),
        (
            {"rivalry_spike": RateRules(window_ticks=999, max=5)},
            "canaries.rivalry_spike.max: 5 can never be passed in '.*'; choose less than 5",
        ),
        (
            {"starvation": StarvationRules(window_ticks=60, min_ticks=30, max_incidents=16)},
            "canaries.starvation.max_incidents: 16 can never be passed in '.*'; choose less than 16",
        ),
    ],
)
def test_a_canary_that_could_never_call_is_refused(rules: dict[str, Any], problem: str) -> None:
    few = {"lifecycle": {"enabled": False}, "relationships": {"max_ties": 5}}
    sim = Simulation(changed(load_config(ROOT / "configs/towns/default.yaml"), **few))
    with pytest.raises(ConfigError, match=f"^{problem}"):
        Canaries(sim, CanaryRules(**rules))


@pytest.mark.parametrize(
    "nothing",
    [
        {"stages": {"relationships": "OFF", "social_rewards": "OFF"}},
        {"employment": {"max_absent_shifts": 0}},
        {"employment": {"absent_cutoff": 0}},
    ],
)
def test_a_town_in_which_there_is_nothing_to_watch_is_watched_all_the_same(nothing: dict[str, Any]) -> None:
    town = watched(changed(default_town(9), **nothing))
    assert "starvation" in town.live(900, everybody(Option.IDLE))


@pytest.mark.parametrize("window", [1, 5, 24, 47, 600, 1440])
def test_a_rolling_sum_covers_its_window_and_forgets_what_is_older(window: int) -> None:
    sums, part = RollingSums(window, (1,)), max(window // 24, 1)
    for _ in range(3 * window):
        sums.add(np.ones(1))
        assert sums.total[0] <= window
    assert sums.total[0] > window - 2 * part
    for _ in range(window):
        sums.add(np.zeros(1))
    assert sums.total[0] == 0
