"""Towns can begin anew one by one, and an episode is the same whenever and beside whomever it begins."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation, Step
from townlet_core.errors import InputError

Live = Callable[[Simulation, int], Iterator[Step]]

TOWNS = 5
SOME = np.array([False, True, False, True, True])
EPISODES = np.array([0, 3, 0, 1, 3])


def shown(sim: Simulation, town: int) -> tuple[bytes, ...]:
    """Everything that a town is and shows."""
    state = (sim.state.towns, sim.state.agents, sim.state.fixtures, sim.state.occupancy, sim.state.cells)
    return tuple(np.ascontiguousarray(array[town]).tobytes() for array in (*state, *sim.observation))


def lived(sim: Simulation, live: Live, ticks: int) -> Simulation:
    """The simulation, some ticks later."""
    for _ in live(sim, ticks):
        pass
    return sim


@pytest.mark.parametrize("threads", [1, 2])
def test_only_the_towns_that_are_asked_for_begin_anew(config: TownConfig, taught: Live, threads: int) -> None:
    sim = lived(Simulation(config, TOWNS, seed=3, threads=threads), taught, 300)
    before = [shown(sim, town) for town in range(TOWNS)]
    sim.reset_towns(SOME, EPISODES)
    changed = [shown(sim, town) != before[town] for town in range(TOWNS)]
    assert changed == SOME.tolist()


@pytest.mark.parametrize("town", np.flatnonzero(SOME))
def test_an_episode_is_the_same_whatever_was_before(config: TownConfig, taught: Live, town: int) -> None:
    sim = lived(Simulation(config, TOWNS, seed=3), taught, 300)
    sim.reset_towns(SOME, EPISODES)
    alone = Simulation(config, 1, seed=3, first_town=int(town))
    alone.reset_towns(np.ones(1, np.bool_), EPISODES[town : town + 1])
    assert shown(alone, 0) == shown(sim, int(town))
    assert shown(lived(alone, taught, 400), 0) == shown(lived(sim, taught, 400), int(town))


def test_episodes_of_a_town_differ(config: TownConfig) -> None:
    sim = Simulation(config, TOWNS, seed=3)
    first = [shown(sim, town) for town in range(TOWNS)]
    sim.reset_towns(np.ones(TOWNS, np.bool_), np.ones(TOWNS, np.int64))
    second = [shown(sim, town) for town in range(TOWNS)]
    assert len({*first, *second}) == 2 * TOWNS


def test_the_first_episode_is_what_a_reset_begins(config: TownConfig, taught: Live) -> None:
    fresh = Simulation(config, TOWNS, seed=3)
    sim = lived(Simulation(config, TOWNS, seed=4), taught, 50)
    sim.reset(seed=3)
    assert [shown(sim, town) for town in range(TOWNS)] == [shown(fresh, town) for town in range(TOWNS)]


def test_a_new_episode_has_neither_rewards_nor_events_nor_figures_of_the_old_one(
    config: TownConfig, taught: Live
) -> None:
    sim = lived(Simulation(config, TOWNS, seed=3), taught, 300)
    sim.reset_towns(SOME, EPISODES)
    assert not sim.reward_terms[SOME].any()
    assert not np.isin(sim.events.rows["town"], np.flatnonzero(SOME)).any()
    assert not sim.kpis()["return"][SOME].any()
    assert sim.kpis()["return"][~SOME].all()


def test_towns_that_are_not_there_cannot_begin_anew(config: TownConfig) -> None:
    with pytest.raises(InputError, match="one entry per town"):
        Simulation(config, 2).reset_towns(SOME, EPISODES)


@pytest.mark.parametrize("action", [-1, 10, 256])
def test_an_action_that_is_no_option_is_refused_whatever_its_type(config: TownConfig, action: int) -> None:
    sim = Simulation(config, 2)
    with pytest.raises(InputError, match=r"actions must lie in 0\.\.9"):
        sim.step(np.full(sim.shape, action, np.int64))
