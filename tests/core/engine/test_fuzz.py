"""Two hundred towns live a week at random, with people moved about, cuts and price shocks: nothing ever breaks."""

import resource
from collections.abc import Iterator

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.core.operations import set_needs, teleport
from townlet_core.errors import InputError
from townlet_core.world.grid import WALL
from townlet_core.world.state import NOBODY, WAITING

pytestmark = pytest.mark.slow

TOWNS, TICKS, DAYS, CHECK_EVERY, DISTURB_EVERY = 200, 10_000, 7, 50, 25
MEMORY_SLACK = 64 * 1024
"""KiB by which the process may grow while the towns live; a leak of a byte per agent-step would be 16 MiB."""


def money(sim: Simulation) -> np.ndarray:
    """All the money of each town, float64 [B]."""
    towns = sim.state.towns
    return towns["treasury"] + towns["supplier"] + towns["tills"].sum(axis=1) + sim.agents["wallet"].sum(axis=1)


def require_finite(sim: Simulation) -> None:
    for name, array in sim.state._asdict().items():
        for field in array.dtype.names or ():
            if array[field].dtype.kind == "f":
                assert np.isfinite(array[field]).all(), f"{name}.{field}"
    assert ((sim.agents["needs"] >= 0) & (sim.agents["needs"] <= 1)).all()


def require_own_tiles(sim: Simulation) -> None:
    """Everybody who lives stands on a tile of their own that is no wall, and nobody else is on the map."""
    alive, occupancy = sim.agents["alive"].astype(bool), sim.state.occupancy
    town, agent = np.nonzero(alive)
    y, x = sim.agents["y"][alive], sim.agents["x"][alive]
    assert (occupancy[town, y, x] == agent).all()
    assert ((occupancy != NOBODY).sum(axis=(1, 2)) == alive.sum(axis=1)).all()
    assert (sim.rules.terrain[y, x] != WALL).all()


def require_kept_reservations(sim: Simulation) -> None:
    """Every reservation belongs to somebody alive who holds it, and every queue to those who wait in it."""
    agents, fixtures = sim.agents, sim.state.fixtures
    town, fixture = np.nonzero(fixtures["user"] != NOBODY)
    user = fixtures["user"][town, fixture]
    assert agents["alive"][town, user].all()
    assert agents["holds"][town, user].all()
    assert (agents["target"][town, user] == fixture).all()
    assert agents["holds"].sum() == len(town)
    waiting = (agents["phase"] == WAITING) & agents["alive"].astype(bool)
    queued = np.zeros_like(fixtures["waiting"])
    where, who = np.nonzero(waiting)
    np.add.at(queued, (where, agents["target"][where, who]), 1)
    assert (queued == fixtures["waiting"]).all()
    assert (fixtures["user"][queued > 0] != NOBODY).all(), "somebody waits for what nobody has"


def require_readable(sim: Simulation) -> None:
    """Observations lie within their published ranges, every agent has a choice, and the terms are the reward."""
    features = sim.observation.features
    low = np.array([min(spec.low, 0.0) for spec in sim.layout.features], np.float32)
    high = np.array([max(spec.high, 0.0) for spec in sim.layout.features], np.float32)
    outside = ((features < low - 1e-6) | (features > high + 1e-6)).any(axis=(0, 1))
    assert not outside.any(), [sim.layout.features[k].name for k in np.flatnonzero(outside)]
    assert sim.observation.mask.any(axis=2).all()
    np.testing.assert_allclose(sim.reward_terms.sum(axis=2, dtype=np.float64), sim._out.rewards, atol=1e-5)


def require_sound(sim: Simulation, capital: np.ndarray) -> None:
    require_finite(sim)
    require_own_tiles(sim)
    require_kept_reservations(sim)
    require_readable(sim)
    np.testing.assert_allclose(money(sim), capital, rtol=1e-9)


def chosen(sim: Simulation, luck: np.random.Generator) -> np.ndarray:
    """Anything at all for one agent in five, else something that the mask allows."""
    mask = sim.observation.mask
    legal = np.where(mask, luck.random(mask.shape, np.float32), -1.0).argmax(axis=2)
    anything = luck.integers(mask.shape[2], size=mask.shape[:2])
    actions: np.ndarray = np.where(luck.random(mask.shape[:2]) < 0.2, anything, legal)
    return actions


def disturb(sim: Simulation, luck: np.random.Generator) -> Iterator[str]:
    """Move somebody somewhere, starve or feed somebody, and let something happen; says what was really done."""
    town, agent = int(luck.integers(sim.shape[0])), int(luck.integers(sim.shape[1]))
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


def test_nothing_breaks_in_two_hundred_towns_however_they_are_treated(config: TownConfig) -> None:
    config = config.model_copy(update={"clock": config.clock.model_copy(update={"episode_days": DAYS})})
    sim = Simulation(config, towns=TOWNS, seed=2026, threads=2)
    luck, capital, done = np.random.default_rng(1), money(sim), set()
    middle = int(luck.integers(TICKS // 4, TICKS // 2))
    memory = 0
    for tick in range(TICKS):
        if tick % DISTURB_EVERY == 0:
            done.update(disturb(sim, luck))
        if tick == middle:
            require_the_same_after_a_pause(sim, config, luck)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sim.step(chosen(sim, luck))
        if tick % CHECK_EVERY == 0:
            require_sound(sim, capital)
    require_sound(sim, capital)
    assert done == {"teleport", "needs", *config.perturbations.events}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEMORY_SLACK
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
