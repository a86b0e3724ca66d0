"""A town's history depends on its seed, its number and the actions alone."""

from collections.abc import Callable, Iterator
from hashlib import sha256

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation, Step

Live = Callable[[Simulation, int], Iterator[Step]]


def history(sim: Simulation, live: Live, town: int, ticks: int = 1500) -> str:
    """Digest everything that one town shows over a stretch of time."""
    digest = sha256()
    for step in live(sim, ticks):
        seen = step.observation
        for array in (seen.map, seen.features, seen.mask, step.reward, step.terminated, sim.agents):
            digest.update(np.ascontiguousarray(array[town]).tobytes())
        rows = step.events.rows
        digest.update(rows[rows["town"] == sim.first_town + town].tobytes())
    return digest.hexdigest()


def test_a_town_lives_the_same_alone_and_among_256(config: TownConfig, taught: Live) -> None:
    among_many = history(Simulation(config, towns=256, seed=3), taught, town=77)
    alone = history(Simulation(config, towns=1, seed=3, first_town=77), taught, town=0)
    assert alone == among_many


def test_a_town_lives_the_same_on_one_thread_and_on_two(scenario_config: Callable, taught: Live) -> None:
    config = scenario_config("stove_outage")
    one = history(Simulation(config, towns=8, seed=3), taught, town=6)
    two = history(Simulation(config, towns=8, seed=3, threads=2), taught, town=6)
    assert one == two


def test_a_reset_begins_the_same_history_again(config: TownConfig, taught: Live) -> None:
    sim = Simulation(config, towns=2, seed=3)
    first = history(sim, taught, town=1, ticks=400)
    sim.reset()
    assert history(sim, taught, town=1, ticks=400) == first


@pytest.mark.parametrize("other", [{"seed": 4}, {"first_town": 1}])
def test_another_seed_or_number_is_another_town(config: TownConfig, taught: Live, other: dict) -> None:
    given = {"seed": 3, "first_town": 0}
    first = history(Simulation(config, **given), taught, town=0, ticks=60)
    assert history(Simulation(config, **{**given, **other}), taught, town=0, ticks=60) != first
