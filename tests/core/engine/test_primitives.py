"""Agents that are controlled step by step can do all that options do, and their masks tell the truth."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.core.engine.test_observations import assert_as_the_oracle_says
from townlet_core.config import TownConfig, load_config
from townlet_core.config.primitives import PRIMITIVE_NAMES, Primitive
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.world.state import PHASE_NAMES

TOWN = Path(__file__).parents[3] / "configs" / "towns" / "default.yaml"
MOVES = range(Primitive.MOVE_NORTH, Primitive.MOVE_WEST + 1)
WALKING, WAITING, USING = (PHASE_NAMES.index(name) for name in ("walking", "waiting", "using"))


@pytest.fixture(scope="module")
def stepwise() -> TownConfig:
    """The default town, controlled step by step."""
    return load_config(TOWN, {"control": "primitives"})


@pytest.mark.parametrize("variant", ["full", "compact"])
def test_the_kernel_agrees_with_the_oracle(at_random: Callable, taught: Callable, variant: str) -> None:
    changes = {"control": "primitives", "config_id": f"default-{variant}-1", "observations": {"variant": variant}}
    sim = Simulation(load_config(TOWN, changes), towns=1, seed=6)
    assert_as_the_oracle_says(sim, taught(sim, 600), every=29)
    assert_as_the_oracle_says(sim, at_random(sim, 300, 4), every=17)


def test_the_teacher_lives_by_steps_as_well_as_by_options(
    stepwise: TownConfig, config: TownConfig, taught: Callable
) -> None:
    sim, used = Simulation(stepwise, towns=16, seed=11), np.zeros(len(PRIMITIVE_NAMES), int)
    teacher = Teacher(sim)
    for _ in range(1440):
        actions = teacher.act()
        assert np.take_along_axis(sim.observation.mask, actions[..., None].astype(int), axis=2).all()
        used += np.bincount(actions[sim.decision], minlength=len(PRIMITIVE_NAMES))
        sim.step(actions)
    by_options = Simulation(config, towns=16, seed=11)
    for _ in taught(by_options, 1440):
        pass
    steps, options = ({k: float(v.mean()) for k, v in one.kpis().items()} for one in (sim, by_options))
    assert steps["survival"] == 1.0
    assert steps["attendance"] > options["attendance"] - 0.05
    assert steps["needs_ok_share"] > options["needs_ok_share"] - 0.05
    for name in ("chats", *(f"uses_{affordance}" for affordance in sim.names.affordances)):
        assert steps[name] > 0.5 * options[name] - 0.1, (name, steps[name], options[name])
    assert not set(PRIMITIVE_NAMES) - {PRIMITIVE_NAMES[k] for k in np.flatnonzero(used)} - {"release"}


def test_an_allowed_step_moves_and_a_forbidden_one_does_not(stepwise: TownConfig) -> None:
    sim, rng = Simulation(stepwise, towns=8, seed=2), np.random.default_rng(1)
    moved = stuck = 0
    for _ in range(300):
        mask, before = sim.observation.mask.copy(), sim.agents[["y", "x"]].copy()
        occupied = sim.state.occupancy.copy()
        actions = rng.choice(list(MOVES), size=sim.shape).astype(np.int8)
        sim.step(actions)
        for place in np.ndindex(sim.shape):
            dy, dx = [(-1, 0), (0, 1), (1, 0), (0, -1)][actions[place] - Primitive.MOVE_NORTH]
            went = (sim.agents["y"][place] - before["y"][place], sim.agents["x"][place] - before["x"][place])
            free = occupied[place[0], before["y"][place] + dy, before["x"][place] + dx] < 0
            if not mask[(*place, actions[place])]:
                assert went != (dy, dx)
                stuck += 1
            moved += went == (dy, dx)
            assert went in ((dy, dx), (0, 0)) or not free or sim.agents["moved_at"][place] == sim.state.towns["tick"][0]
    assert moved > 1000
    assert stuck > 100


def test_requests_starts_and_releases_that_the_mask_allows_take_effect(stepwise: TownConfig) -> None:
    sim, rng = Simulation(stepwise, towns=16, seed=4), np.random.default_rng(2)
    counts, tried = dict.fromkeys(("request", "start", "release"), 0), 0
    for _ in range(500):
        mask = sim.observation.mask.copy()
        mask[..., Primitive.WAIT] &= mask.sum(axis=2) == 1
        luck = rng.random(mask.shape) * mask
        luck[..., Primitive.REQUEST_EAT_HOME : Primitive.RELEASE] *= 5
        actions = luck.argmax(axis=2).astype(np.int8)
        before, alive = sim.agents["phase"].copy(), sim.agents["alive"].astype(bool)
        sim.step(actions)
        after, alive = sim.agents["phase"], alive & sim.agents["alive"].astype(bool)
        started = alive & (actions == Primitive.START)
        released = alive & (actions == Primitive.RELEASE)
        asked = alive & (actions >= Primitive.REQUEST_EAT_HOME) & (actions <= Primitive.REQUEST_RELAX)
        tried += int(started.sum())
        assert (after[released] == 0).all()
        assert ((before[released] == WALKING) | (before[released] == WAITING)).all()
        counts["request"] += int(np.isin(after[asked], (WALKING, WAITING)).sum())
        counts["start"] += int((after[started] == USING).sum())
        counts["release"] += int(released.sum())
    assert min(counts.values()) > 20, counts
    assert counts["start"] > 0.9 * tried


def test_nobody_holds_or_waits_for_what_is_far_away_or_for_ever(stepwise: TownConfig, at_random: Callable) -> None:
    sim = Simulation(stepwise, towns=8, seed=9)
    for _ in at_random(sim, 1440, 3):
        agents = sim.agents
        bound = np.isin(agents["phase"], (WALKING, WAITING)) & (agents["meeting"] == 0)
        towns, people = np.nonzero(bound)
        mine = agents[towns, people]
        assert (sim.rules.distance[mine["target"], mine["y"], mine["x"]] <= 4).all()
        assert (mine["option_ticks"] <= stepwise.options.commit_ticks + 1).all()
        held = sim.state.fixtures["user"]
        for town, fixture in zip(*np.nonzero(held >= 0), strict=True):
            user = agents[town, held[town, fixture]]
            assert user["alive"]
            assert user["holds"]
            assert user["target"] == fixture


def test_a_town_lives_the_same_alone_in_a_batch_and_after_a_rest(
    stepwise: TownConfig, taught: Callable, tmp_path: Path
) -> None:
    curious = stepwise.rewards.model_copy(
        update={"curiosity": stepwise.rewards.curiosity.model_copy(update={"phase": "phase_A"})}
    )
    config = stepwise.model_copy(update={"rewards": curious})
    alone, batch = Simulation(config, seed=5, first_town=2), Simulation(config, towns=4, seed=5, threads=2)
    for _ in zip(taught(alone, 150), taught(batch, 150), strict=True):
        pass
    alone.save(tmp_path / "town")
    woken = Simulation.load(tmp_path / "town")
    for one, other in zip(taught(woken, 150), taught(batch, 150), strict=True):
        np.testing.assert_array_equal(one.observation.features[0], other.observation.features[2])
        np.testing.assert_array_equal(one.observation.mask[0], other.observation.mask[2])
        np.testing.assert_array_equal(one.reward[0], other.reward[2])
    assert woken.state.visits.any()


def test_money_and_places_hold_under_random_steps(stepwise: TownConfig, at_random: Callable) -> None:
    sim = Simulation(stepwise, towns=8, seed=10)
    first = _money(sim)
    for _ in at_random(sim, 1440, 8):
        living = sim.agents["alive"].astype(bool)
        tiles = sim.agents["y"].astype(int) * 1000 + sim.agents["x"] + np.arange(8)[:, None] * 1_000_000
        assert len(np.unique(tiles[living])) == living.sum()
    np.testing.assert_allclose(_money(sim), first, rtol=1e-9)


def _money(sim: Simulation) -> np.ndarray:
    towns = sim.state.towns
    return sim.agents["wallet"].sum(axis=1) + towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1)
