"""What each reward term is worth, in states made by hand: the numbers follow from the formulas of docs/rewards.md."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.world.events import Event
from townlet_core.world.state import EXIT_NAMES, REWARD_TERMS

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
HUNGER, HYGIENE, ENERGY = range(3)
STAYING = {"exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": {"enabled": False}}


def town(rewards: dict[str, Any], towns: int = 1, **changes: Any) -> Simulation:
    """The default town with other rewards, where nothing happens by chance and whoever leaves does so at once."""
    lifecycle = {**STAYING, **changes.pop("lifecycle", {})}
    parts = {"rewards": rewards, "lifecycle": lifecycle, "perturbations": {"not_before_day": 1000}, **changes}
    return Simulation(load_config(TOWN, parts), towns=towns, seed=5)


def term(sim: Simulation, name: str) -> np.ndarray:
    return sim.reward_terms[0, :, REWARD_TERMS.index(name)]


def idle(sim: Simulation) -> np.ndarray:
    """Let a tick pass in which nobody does anything; gives everybody's reward."""
    rewards: np.ndarray = sim.step(np.zeros(sim.shape, np.int8)).reward[0].copy()
    return rewards


def tell(sim: Simulation, kind: Event, who: int, other: int, value: float = 0.0) -> None:
    """Let something have happened, for the next tick to tell of."""
    common, log = sim.state.towns[0], sim.state.log[0]
    log[int(common["event_count"])] = np.array((common["tick"], 0, kind, who, -1, other, value), log.dtype)
    common["event_count"] += 1


def test_needs_cost_their_square_by_weight_and_scale() -> None:
    sim = town({"needs_scale": 0.02, "needs_weights": {"hunger": 1.5, "hygiene": 0.3, "energy": 0.7}})
    sim.agents["needs"][0, 0] = (0.5, 0.8, 0.3)
    idle(sim)
    hunger, hygiene, energy = 1.0 - sim.agents["needs"][0, 0].astype(float)
    assert hunger == pytest.approx(0.5012, abs=1e-6)
    cost = 0.02 * (1.5 * hunger**2 + 0.3 * hygiene**2 + 0.7 * energy**2)
    assert term(sim, "needs")[0] == pytest.approx(-cost, rel=1e-5)


def test_a_tick_at_work_is_worth_its_rate_and_a_withheld_one_costs_it(taught: Callable) -> None:
    sim = town({"wage_rate": 0.03}, clock={"start_tick": 500})
    worth, earned, withheld = set(), sim.agents["wages_paid"][0].copy(), sim.agents["wages_withheld"][0].copy()
    for _ in taught(sim, 300):
        paid, lost = sim.agents["wages_paid"][0] > earned, sim.agents["wages_withheld"][0] > withheld
        np.testing.assert_allclose(term(sim, "wage"), 0.03 * (paid.astype(int) - lost), rtol=1e-6)
        worth |= set(np.round(term(sim, "wage").astype(float), 6).tolist())
        earned, withheld = sim.agents["wages_paid"][0].copy(), sim.agents["wages_withheld"][0].copy()
    assert worth == {-0.03, 0.0, 0.03}


def test_punctuality_is_a_triangle_around_the_beginning_of_the_shift(taught: Callable) -> None:
    sim, paid = town({"punctuality_bonus": 0.06}, clock={"start_tick": 400}), {}
    for step in taught(sim, 400):
        for row in step.events.rows[np.isin(step.events.rows["kind"], (Event.SHIFT_ON_TIME, Event.SHIFT_LATE))]:
            off = max(float(row["value"]), sim.state.towns["tick"][0] - sim.agents["at_work_since"][0, row["subject"]])
            paid[off] = float(term(sim, "punctuality")[row["subject"]])
    assert len(paid) > 2
    for off, bonus in paid.items():
        assert bonus == pytest.approx(0.06 * max(0.0, 1.0 - off / 30.0), abs=1e-6)


def acquainted(stage: str) -> Simulation:
    """A town at a stage of social rewards in which agent 0 likes agent 1, who does not know it."""
    chats = {"chat_base": 0.02, "coeff_trust": 0.5, "coeff_familiarity": 0.25}
    social = {**chats, "avoid_conflict": 0.007, "quarrel_cost": 0.013}
    sim = town({"social": social}, stages={"relationships": "B", "social_rewards": stage})
    sim.agents["needs"][:] = 0.8
    sim.state.ties[0, 0, 0] = (0.6, 0.4, 0.0, 1)
    return sim


def test_a_good_chat_is_worth_its_quality_and_the_tie_that_it_leaves() -> None:
    sim = acquainted("C1")
    tell(sim, Event.CHAT_SUCCESS, 0, 1, 0.9)
    idle(sim)
    for who, other in ((0, 1), (1, 0)):
        tie = sim.state.ties[0, who][sim.state.ties["other"][0, who] == other][0]
        warmth = 1.0 + 0.5 * tie["trust"] + 0.25 * tie["familiarity"]
        assert term(sim, "social")[who] == pytest.approx(0.02 * 0.9 * warmth, rel=1e-5)
    assert term(sim, "social")[0] > term(sim, "social")[1] > 0.02 * 0.9
    assert not term(sim, "social")[2:].any()


def test_a_failed_chat_costs_the_speaker_half_the_base_and_the_listener_a_quarter() -> None:
    sim = acquainted("C1")
    tell(sim, Event.CHAT_FAILURE, 0, 1, 0.9)
    idle(sim)
    assert term(sim, "social")[:3].tolist() == pytest.approx([-0.01, -0.005, 0.0], rel=1e-5)


@pytest.mark.parametrize(
    ("stage", "avoided", "quarrel"), [("OFF", 0, 0), ("C1", 0, 0), ("C2", 0.007, 0), ("C3", 0.007, -0.013)]
)
def test_avoiding_a_rival_pays_from_c2_and_a_quarrel_costs_whoever_pushed_from_c3(
    stage: str, avoided: float, quarrel: float
) -> None:
    sim = acquainted(stage)
    tell(sim, Event.AVOIDANCE, 2, 3)
    tell(sim, Event.GHOST_STEP, 4, 5)
    idle(sim)
    assert term(sim, "social").tolist() == pytest.approx([0, 0, avoided, 0, quarrel, 0, 0, 0], abs=1e-8)


def test_each_end_of_a_life_costs_what_it_says() -> None:
    sim = town({"faint_penalty": -1.25, "eviction_penalty": -2.5}, lifecycle={"max_days": 9})
    agents, tick = sim.agents[0], sim.tick + 360
    agents["needs"] = 1.0
    agents["needs"][0, HUNGER] = agents["needs"][1, ENERGY] = agents["needs"][2, HYGIENE] = 0.0
    agents["empty_ticks"][1, ENERGY] = agents["empty_ticks"][2, HYGIENE] = 720
    agents["unpaid_days"][3] = 2
    agents["employed"][4], agents["unemployed_at"][4] = 0, tick - 2 * 1440
    agents["low_ticks"][5] = 360
    agents["arrived_at"][6] = tick - 9 * 1440
    rewards = idle(sim)
    penalties = [-1.25, -1.25, -1.25, -2.5, -2.5, -1.25, 0.0, 0.0]
    assert term(sim, "terminal").tolist() == penalties
    assert agents["alive"].tolist() == [0] * 7 + [1]
    reasons = ("faint", "collapse", "exposure", "eviction", "unemployment", "chronic_need", "age_out")
    assert all(sim.state.towns["exits"][0, EXIT_NAMES.index(reason)] == 1 for reason in reasons)
    assert (rewards <= np.array(penalties) + 0.2).all()


@pytest.mark.parametrize(("praise", "scale"), [(0.01, 0.0), (0.0, 1.0)], ids=["praise", "blame"])
def test_the_everyday_terms_of_a_life_never_add_up_to_more_than_the_clip(praise: float, scale: float) -> None:
    clip = {"clip_per_tick": 0.05, "clip_per_episode": 1.0}
    rewards = {"survival_tick": praise, "needs_scale": scale, "wage_rate": 0.0, "clip": clip}
    sim = town({**rewards, "shaping": {"use_potential": True}}, lifecycle={"enabled": False})
    outside = [REWARD_TERMS.index(name) for name in ("shaping", "terminal")]
    total = np.zeros(sim.shape[1])
    for _ in range(300):
        idle(sim)
        guarded = np.delete(sim.reward_terms[0], outside, axis=1).sum(axis=1, dtype=np.float64)
        assert (np.abs(guarded) <= 0.05 + 1e-6).all()
        total += guarded
        assert (np.abs(total) <= 1.0 + 1e-5).all()
    np.testing.assert_allclose(total, 1.0 if praise else -1.0, atol=1e-5)


def dying(cause: str) -> tuple[Simulation, int]:
    """A town that praises every tick, and in how many ticks its first citizen is gone if it does nothing."""
    rules = {"collapse_ticks": 40, "exposure_ticks": 4, "chronic_share": 0.25}
    needs = {"decay_per_tick": {"hunger": 0.001, "hygiene": 0.001, "energy": 0.001}}
    sim = town({"needs_scale": 0.0}, lifecycle=rules, needs=needs, economy={"clothes": {"enabled": False}})
    me = sim.agents[0, 0]
    sim.agents["needs"][:] = 0.9
    if cause == "collapse":
        me["needs"][ENERGY], me["empty_ticks"][ENERGY] = 0.0, 10
        return sim, 30
    if cause == "exposure":
        me["needs"][HYGIENE] = 0.0205
        return sim, 24
    me["needs"][ENERGY], me["low_ticks"] = 0.015, 335
    return sim, 25


@pytest.mark.parametrize("cause", ["collapse", "exposure", "chronic_need"])
def test_nothing_is_praised_in_the_ten_ticks_before_any_death(cause: str) -> None:
    sim, ticks = dying(cause)
    rewards = np.array([idle(sim)[0] for _ in range(ticks)])
    assert sim.state.towns["exits"][0, EXIT_NAMES.index(cause)] == 1
    assert sim.agents["alive"][0].tolist() == [0] + [1] * 7
    assert (rewards[: ticks - 11] > 0).all()
    assert (rewards[ticks - 11 :] <= 0).all()


@pytest.mark.parametrize("cause", ["collapse", "exposure", "chronic_need"])
def test_whoever_gets_away_is_praised_again(cause: str) -> None:
    sim, ticks = dying(cause)
    held = [idle(sim)[0] for _ in range(ticks - 1)][-1]
    sim.agents["needs"][:] = 0.9
    assert held <= 0 < idle(sim)[0]


def test_misery_that_midnight_will_forget_costs_no_praise() -> None:
    sim = town({"needs_scale": 0.0}, lifecycle={"chronic_share": 0.25}, clock={"start_tick": 1435})
    sim.agents["needs"][:] = 0.9
    sim.agents["needs"][0, 0, ENERGY], sim.agents["low_ticks"][0, 0] = 0.01, 353
    assert all(idle(sim)[0] > 0 for _ in range(12))
    assert sim.agents["alive"].all()


def test_where_nobody_dies_the_empty_are_praised_too() -> None:
    sim = town({"needs_scale": 0.0}, lifecycle={"mortality": False, "chronic_share": 0.0})
    sim.agents["needs"][:] = 0.0
    sim.agents["empty_ticks"][:] = 1000
    assert (idle(sim) > 0).all()
