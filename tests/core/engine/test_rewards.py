"""Rewards: every term says what it promises, the guards hold, and shaping changes no policy's rank."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.config import load_config
from townlet_core.core import Simulation, Step
from townlet_core.world.events import Event
from townlet_core.world.state import REWARD_TERMS, SQUARE

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
GAMMA = 0.98
SHAPED = {"shaping": {"use_potential": True, "gamma": GAMMA, "needs": 0.7, "savings": 0.3}}
CURIOUS = {"curiosity": {"phase": "phase_A", "weight": 0.1, "decay_by_milestone": "never"}}
LETHAL = {
    "exits_per_day": 0,
    "exit_cooldown_ticks": 0,
    "chronic_share": 0.0,
    "unpaid_days": 0,
    "arrivals": {"enabled": False},
}
STARVING = {"initial": [0.06, 0.14]}


def town(rewards: dict[str, Any], needs: dict[str, Any] | None = None, towns: int = 2, seed: int = 5) -> Simulation:
    """Default towns with other rewards, in which nothing but needs ends a life, at once, and nobody comes instead."""
    changes = {"rewards": rewards, "needs": needs or {}, "lifecycle": LETHAL}
    return Simulation(load_config(TOWN, changes), towns=towns, seed=seed)


def term(sim: Simulation, name: str) -> np.ndarray:
    return sim.reward_terms[..., REWARD_TERMS.index(name)]


def idle(sim: Simulation, ticks: int) -> Iterator[Step]:
    for _ in range(ticks):
        yield sim.step(np.zeros(sim.shape, np.int8))


def potential(sim: Simulation) -> np.ndarray:
    """What the states promise, by the formula of the documentation."""
    weights = np.array([1.0, 0.6, 0.8])
    needs = (sim.agents["needs"].astype(np.float64) * weights).sum(axis=-1) / weights.sum()
    return (0.7 * needs + 0.3 * np.minimum(sim.agents["wallet"], 20.0) / 20.0) * sim.agents["alive"]


def test_the_terms_add_up_to_the_reward_with_everything_on(at_random: Callable) -> None:
    clip = {"clip_per_tick": 0.05, "clip_per_episode": 5.0}
    sim = town({**SHAPED, **CURIOUS, "clip": clip}, {"initial": [0.05, 0.9]}, towns=8)
    seen = np.zeros(len(REWARD_TERMS))
    for step in at_random(sim, 1440, 1):
        assert np.isfinite(sim.reward_terms).all()
        np.testing.assert_allclose(sim.reward_terms.sum(axis=-1), step.reward, atol=1e-6)
        seen += np.abs(sim.reward_terms).sum(axis=(0, 1))
    assert (seen > 0).all(), dict(zip(REWARD_TERMS, seen, strict=True))


@pytest.mark.parametrize("needs", [{}, STARVING], ids=["all live", "all starve"])
def test_shaping_adds_up_to_the_potentials_at_both_ends_whatever_is_done(
    at_random: Callable, taught: Callable, needs: dict[str, Any]
) -> None:
    for live in (idle, lambda sim, ticks: at_random(sim, ticks, 3), taught):
        sim = town(SHAPED, needs)
        first, total, ticks = potential(sim), np.zeros(sim.shape), 150
        for count, _ in enumerate(live(sim, ticks)):
            total += GAMMA**count * term(sim, "shaping")
        np.testing.assert_allclose(total, GAMMA**ticks * potential(sim) - first, atol=2e-6)
        assert needs == {} or live is not idle or not sim.agents["alive"].any()


def test_shaping_is_what_the_reward_with_and_without_it_differ_by(at_random: Callable) -> None:
    plain, shaped = town({}), town(SHAPED)
    for one, other in zip(at_random(plain, 300, 9), at_random(shaped, 300, 9), strict=True):
        np.testing.assert_allclose(other.reward - one.reward, term(shaped, "shaping"), atol=1e-6)


def test_a_step_is_worth_less_the_more_often_one_has_been_there(at_random: Callable) -> None:
    sim = town(CURIOUS, towns=1)
    columns = -(-sim.rules.terrain.shape[1] // SQUARE)
    counts = np.zeros((sim.shape[1], sim.state.visits.shape[2]), int)
    earned = 0.0
    for _ in at_random(sim, 400, 4):
        for i, agent in enumerate(sim.agents[0]):
            square, moved = (
                agent.y // SQUARE * columns + agent.x // SQUARE,
                agent.moved_at == sim.state.towns["tick"][0],
            )
            counts[i, square] += moved
            distressed = agent.needs.min() < 0.15
            expected = 0.1 / np.sqrt(counts[i, square]) if moved and not distressed else 0.0
            assert term(sim, "curiosity")[0, i] == pytest.approx(expected, abs=1e-6)
            earned += expected
    assert earned > 5.0
    np.testing.assert_array_equal(sim.state.visits[0], counts)


def test_without_curiosity_nobody_counts_anything(at_random: Callable) -> None:
    sim = town({}, towns=1)
    assert sim.state.visits.size == 0
    assert not any(term(sim, "curiosity").any() for _ in at_random(sim, 60, 1))


def test_curiosity_ends_with_the_first_work_unless_it_never_does(taught: Callable) -> None:
    fading = {"curiosity": {"phase": "phase_A", "weight": 0.1, "decay_by_milestone": "M2"}}
    until, ever = town(fading, towns=1), town(CURIOUS, towns=1)
    shares = set()
    for _ in zip(taught(until, 900), taught(ever, 900), strict=True):
        paid, full, reached = term(until, "curiosity"), term(ever, "curiosity"), until.agents["milestone"]
        np.testing.assert_allclose(paid, full * (1 - 0.5 * reached), atol=1e-6)
        shares |= set(reached[full > 0].tolist())
    assert shares == {0, 1, 2}


def test_below_the_floor_neither_company_nor_curiosity_is_rewarded(at_random: Callable) -> None:
    sim = town({**CURIOUS, "needs_floor": 0.5}, towns=8)
    social = curious = 0.0
    for _ in at_random(sim, 500, 2):
        distressed = sim.agents["needs"].min(axis=-1) < 0.5
        assert (term(sim, "social")[distressed] <= 0).all()
        assert not term(sim, "curiosity")[distressed].any()
        social += float(term(sim, "social")[~distressed].clip(0).sum())
        curious += float(term(sim, "curiosity")[~distressed].sum())
    assert social > 0
    assert curious > 0


def test_nothing_is_praised_shortly_before_a_death_in_its_tick_and_shortly_after() -> None:
    sim = town({"needs_weights": {"hunger": 0.5, "hygiene": 0.2, "energy": 0.4}, "needs_scale": 0.0}, STARVING)
    rewards = [step.reward.copy() for step in idle(sim, 110)]
    assert not sim.agents["alive"].any()
    for place in np.ndindex(sim.shape):
        last = int(sim.agents["ticks"][place]) - 1
        own = np.array([reward[place] for reward in rewards])
        assert (own[: last - 11] > 0).all()
        assert (own[last - 9 : last + 1] <= 0).all()
        death = sim.config.clock.start_tick + last + 1
        assert sim.agents["no_praise_until"][place] == death + 10


def test_whoever_takes_the_place_of_the_dead_earns_nothing_at_first() -> None:
    sim = town({"needs_scale": 0.0}, towns=1)
    sim.agents["no_praise_until"][0, 3] = sim.state.towns["tick"][0] + 6
    rewards = np.array([step.reward[0].copy() for step in idle(sim, 10)])
    assert (rewards[:5, 3] == 0).all()
    assert (rewards[5:, 3] > 0).all()
    assert (np.delete(rewards, 3, axis=1) > 0).all()


def test_punctuality_is_a_triangle_of_half_an_hour_around_the_beginning_of_the_shift(taught: Callable) -> None:
    sim = town({}, towns=8)
    start, seen = sim.rules.citizens["shift_start"], 0
    since = np.full(sim.shape, -1)
    for _ in taught(sim, 1000):
        tick = int(sim.state.towns["tick"][0])
        since[sim.agents["at_work_since"] == tick] = tick
        bonus = term(sim, "punctuality")
        for place in zip(*np.nonzero(bonus), strict=True):
            off = abs(since[place] - start[place[1]])
            assert bonus[place] == pytest.approx(0.05 * (1 - off / 30), abs=1e-6)
            seen += 1
    assert seen > 16


def test_a_use_that_breaks_off_is_a_hard_cut_until_the_next_choice(taught: Callable) -> None:
    outage = {"utility": "water", "start": [390, 390], "ticks": [60, 60]}
    sim = Simulation(load_config(TOWN, {"outages": [outage]}), towns=8, seed=1)
    flag = [spec.name for spec in sim.layout.features].index("ctx_reset_flag")
    assert (sim.observation.features[..., flag] == 1).all()
    cuts: list[tuple[int, int]] = []
    broken = 0
    for step in taught(sim, 60):
        seen = step.observation.features[..., flag] == 1
        for town_, agent in cuts:
            assert not seen[town_, agent] or sim.agents["alive"][town_, agent] == 0
        failed = [row for row in step.events.rows if row["kind"] == Event.AFFORDANCE_FAIL]
        cuts = [(row["town"], row["subject"]) for row in failed]
        assert all(seen[place] for place in cuts)
        broken += len(cuts)
    assert broken > 0
