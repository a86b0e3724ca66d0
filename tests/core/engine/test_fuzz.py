"""Two hundred towns live a week at random, with people moved about, cuts and price shocks: nothing ever breaks."""

import gc
import mmap
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.core.operations import set_needs, teleport
from townlet_core.errors import InputError
from townlet_core.world.grid import WALL
from townlet_core.world.state import NOBODY, WAITING

TOWNS, TICKS, DAYS, CHECK_EVERY, DISTURB_EVERY, DISTURBED = 200, 10_000, 7, 50, 25, 20
MEMORY_SLACK = 8 << 20
"""Bytes by which the process may grow while the towns live; a leak of a byte per agent-step would be more."""


def money(sim: Simulation) -> np.ndarray:
    """All the money of each town, float64 [B]."""
    towns = sim.state.towns
    return towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1) + sim.agents["wallet"].sum(axis=1)


def memory() -> int:
    """Bytes that the process holds now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def require_finite(sim: Simulation) -> None:
    for name, array in sim.state._asdict().items():
        for field in array.dtype.names or ():
            if array[field].dtype.kind == "f":
                assert np.isfinite(array[field]).all(), f"{name}.{field}"
    assert ((sim.agents["needs"] >= 0) & (sim.agents["needs"] <= 1)).all(), "needs"


def require_own_tiles(sim: Simulation) -> None:
    """Everybody who lives stands on a tile of their own that is no wall, and nobody else is on the map."""
    alive, occupancy = sim.agents["alive"].astype(bool), sim.state.occupancy
    town, agent = np.nonzero(alive)
    y, x = sim.agents["y"][alive], sim.agents["x"][alive]
    assert (occupancy[town, y, x] == agent).all(), "somebody is not where the map has them"
    assert ((occupancy != NOBODY).sum(axis=(1, 2)) == alive.sum(axis=1)).all(), "the map shows somebody who is gone"
    assert (sim.rules.terrain[y, x] != WALL).all(), "somebody stands in a wall"


def require_kept_reservations(sim: Simulation) -> None:
    """Every reservation belongs to somebody alive who holds it, and every queue to those who wait in it."""
    agents, fixtures = sim.agents, sim.state.fixtures
    town, fixture = np.nonzero(fixtures["user"] != NOBODY)
    user = fixtures["user"][town, fixture]
    assert agents["alive"][town, user].all(), "the dead hold something"
    assert agents["holds"][town, user].all(), "a reservation that nobody knows of"
    assert (agents["target"][town, user] == fixture).all(), "somebody holds what it is not after"
    assert agents["holds"].sum() == len(town), "a reservation that no object knows of"
    waiting = (agents["phase"] == WAITING) & agents["alive"].astype(bool)
    queued = np.zeros_like(fixtures["waiting"])
    where, who = np.nonzero(waiting)
    np.add.at(queued, (where, agents["target"][where, who]), 1)
    assert (queued == fixtures["waiting"]).all(), "a queue is longer or shorter than those who stand in it"
    assert (fixtures["user"][queued > 0] != NOBODY).all(), "somebody waits for what nobody has"


def require_short_reservations(sim: Simulation) -> None:
    """Nobody holds an object longer than it may take to get there, and then to use it."""
    scalars, longest = sim.rules.scalars[0], float(sim.rules.affordances["duration"].max())
    bound = scalars["commit_ticks"] + np.ceil(longest * (1.0 + sim.config.affordance_jitter)) + 1
    held = sim.agents["option_ticks"][sim.agents["holds"] == 1]
    assert held.max(initial=0) <= bound, f"something is held for {held.max(initial=0)} ticks"


def require_readable(sim: Simulation) -> None:
    """Observations lie within their published ranges, every agent has a choice, and the terms are the reward."""
    features, rewards = sim.observation.features, sim._out.rewards
    low = np.array([min(spec.low, 0.0) for spec in sim.layout.features], np.float32)
    high = np.array([max(spec.high, 0.0) for spec in sim.layout.features], np.float32)
    within = (features >= low - 1e-6) & (features <= high + 1e-6)  # false for what is no number, too
    outside = ~within.all(axis=(0, 1))
    assert not outside.any(), [sim.layout.features[k].name for k in np.flatnonzero(outside)]
    assert sim.observation.mask.any(axis=2).all(), "somebody has no choice"
    assert np.isfinite(rewards).all(), "a reward is no number"
    assert np.isfinite(sim.reward_terms).all(), "a term of the reward is no number"
    np.testing.assert_allclose(sim.reward_terms.sum(axis=2, dtype=np.float64), rewards, atol=1e-5)


def require_kept_money(sim: Simulation, capital: np.ndarray) -> None:
    np.testing.assert_allclose(money(sim), capital, rtol=1e-9, err_msg="money")


def require_sound(sim: Simulation, capital: np.ndarray) -> None:
    require_finite(sim)
    require_own_tiles(sim)
    require_kept_reservations(sim)
    require_short_reservations(sim)
    require_readable(sim)
    require_kept_money(sim, capital)


def chosen(sim: Simulation, luck: np.random.Generator) -> np.ndarray:
    """Anything at all for one agent in five, else something that the mask allows."""
    mask = sim.observation.mask
    legal = np.where(mask, luck.random(mask.shape, np.float32), -1.0).argmax(axis=2)
    anything = luck.integers(mask.shape[2], size=mask.shape[:2])
    actions: np.ndarray = np.where(luck.random(mask.shape[:2]) < 0.2, anything, legal)
    return actions


def disturb(sim: Simulation, town: int, luck: np.random.Generator) -> Iterator[str]:
    """Move somebody somewhere, starve or feed somebody, and let something happen; says what was really done."""
    agent = int(luck.integers(sim.shape[1]))
    height, width = sim.rules.terrain.shape
    happening = str(luck.choice(list(sim.config.perturbations.events)))
    deeds = {
        "teleport": lambda: teleport(sim, town, agent, int(luck.integers(width)), int(luck.integers(height))),
        "needs": lambda: set_needs(sim, town, agent, {"hunger": float(luck.random())}),
        happening: lambda: sim.trigger(town, happening),
    }
    for name, deed in deeds.items():
        try:
            deed()
            yield name
        except InputError:
            continue  # a wall, somebody's tile, somebody who is gone, or too much going on: refused as it should be


@pytest.mark.slow
def test_nothing_breaks_in_two_hundred_towns_however_they_are_treated(config: TownConfig) -> None:
    config = config.model_copy(update={"clock": config.clock.model_copy(update={"episode_days": DAYS})})
    sim = Simulation(config, towns=TOWNS, seed=2026, threads=2)
    luck, capital, done = np.random.default_rng(1), money(sim), set()
    middle = int(luck.integers(TICKS // 4, TICKS // 2))
    before = 0
    for tick in range(TICKS):
        if tick % DISTURB_EVERY == 0:
            for town in luck.choice(TOWNS, DISTURBED, replace=False).tolist():
                done.update(disturb(sim, town, luck))
        if tick == middle:
            require_the_same_after_a_pause(sim, config, luck)
            before = memory()
        sim.step(chosen(sim, luck))
        if tick % CHECK_EVERY == 0:
            require_sound(sim, capital)
    require_sound(sim, capital)
    assert done == {"teleport", "needs", *config.perturbations.events}
    assert memory() - before < MEMORY_SLACK
    assert (sim.agents["finished"].sum(axis=(0, 1))[: len(sim.names.affordances)] > 0).all(), "all uses were exercised"


def require_the_same_after_a_pause(sim: Simulation, config: TownConfig, luck: np.random.Generator) -> None:
    """Other towns take over what these are now, and live the next minutes identically."""
    others = Simulation(config, towns=TOWNS, seed=99)
    others.restore({name: array.copy() for name, array in sim.arrays().items()})
    for _ in range(60):
        actions = chosen(sim, luck)
        sim.step(actions)
        others.step(actions)
    for name, array in sim.arrays().items():
        assert (array == others.arrays()[name]).all(), name


def _no_number(sim: Simulation) -> None:
    sim.observation.features[1, 2, 3] = np.nan


def _no_reward(sim: Simulation) -> None:
    sim._out.rewards[1, 2] = np.nan
    sim.reward_terms[1, 2, 1] = np.nan


def _stranger_on_the_map(sim: Simulation) -> None:
    sim.state.occupancy[1, sim.agents["y"][1, 2], sim.agents["x"][1, 2]] = 3


def _unknown_reservation(sim: Simulation) -> None:
    sim.agents["holds"][1, 2] = 0


def _shadow_in_a_queue(sim: Simulation) -> None:
    sim.state.fixtures["waiting"][1, 0] += 1


def _reservation_without_end(sim: Simulation) -> None:
    sim.agents["option_ticks"][1, 2] = 1000


def _coin_from_nowhere(sim: Simulation) -> None:
    sim.agents["wallet"][1, 2] += 0.01


def _endless_need(sim: Simulation) -> None:
    sim.agents["needs"][1, 2, 0] = np.inf


def _no_choice(sim: Simulation) -> None:
    sim.observation.mask[1, 2] = False


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_no_number, "wallet"),
        (_no_reward, "a reward is no number"),
        (_stranger_on_the_map, "somebody is not where the map has them"),
        (_unknown_reservation, "a reservation that nobody knows of"),
        (_shadow_in_a_queue, "a queue is longer or shorter"),
        (_reservation_without_end, "something is held for 1000 ticks"),
        (_coin_from_nowhere, "money"),
        (_endless_need, "agents.needs"),
        (_no_choice, "somebody has no choice"),
    ],
)
def test_what_is_broken_on_purpose_is_found(config: TownConfig, spoil: Callable[[Simulation], None], told: str) -> None:
    sim = Simulation(config, towns=2, seed=3)
    luck, capital = np.random.default_rng(2), money(sim)
    while sim.agents["holds"][1].sum() < 2 or not sim.agents["holds"][1, 2]:
        sim.step(chosen(sim, luck))
    require_sound(sim, capital)
    spoil(sim)
    with pytest.raises(AssertionError, match=told):
        require_sound(sim, capital)


def test_memory_that_grows_is_noticed() -> None:
    before = memory()
    hoard = mmap.mmap(-1, 2 * MEMORY_SLACK)  # never taken from what was freed before
    for page in range(0, len(hoard), mmap.PAGESIZE):
        hoard[page] = 1
    assert memory() - before > MEMORY_SLACK
    hoard.close()
    assert memory() - before < MEMORY_SLACK
