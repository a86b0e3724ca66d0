"""A town that was saved and loaded lives on exactly as one that was not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.snapshots.conftest import CONFIGS, legal_actions, live
from townlet_core.config import TownConfig, scenario_names
from townlet_core.core import Simulation
from townlet_core.errors import DataError
from townlet_core.policy.teacher import Teacher

AFTER = 150


def require_same(one: Simulation, other: Simulation) -> None:
    """Every array and whatever else a simulation shows is equal, to the byte."""
    for name, array in one.arrays().items():
        assert array.tobytes() == other.arrays()[name].tobytes(), name
    assert one.events.rows.tobytes() == other.events.rows.tobytes()
    assert (one.tick, one.seed, one.first_town, one.config) == (other.tick, other.seed, other.first_town, other.config)
    assert {name: kpi.tolist() for name, kpi in one.kpis().items()} == {
        name: kpi.tolist() for name, kpi in other.kpis().items()
    }


def require_same_life(one: Simulation, other: Simulation, ticks: int, seed: int) -> None:
    """Both live the same ticks, by options drawn from what each of them observes."""
    luck = [np.random.default_rng(seed) for _ in range(2)]
    for _ in range(ticks):
        ours, theirs = (sim.step(legal_actions(sim, rng)) for sim, rng in zip((one, other), luck, strict=True))
        assert ours.reward.tobytes() == theirs.reward.tobytes()
        assert ours.events.rows.tobytes() == theirs.events.rows.tobytes()
        require_same(one, other)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scenario=st.sampled_from(scenario_names(CONFIGS)),
    ticks=st.integers(0, 1600),
    towns=st.integers(1, 5),
    first_town=st.integers(0, 1000),
    seed=st.integers(0, 2**64 - 1),
    threads=st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_saved_anywhere_any_town_lives_on_to_the_bit(
    scenario_config: Callable[[str], TownConfig],
    tmp_path: Path,
    scenario: str,
    ticks: int,
    towns: int,
    first_town: int,
    seed: int,
    threads: tuple[int, int],
) -> None:
    sim = Simulation(scenario_config(scenario), towns, seed, threads=threads[0], first_town=first_town)
    live(sim, ticks, seed)
    sim.save(tmp_path / "town.safetensors")
    again = Simulation.load(tmp_path / "town.safetensors", threads=threads[1])
    require_same(sim, again)
    require_same_life(sim, again, AFTER, seed)
    sim.close()
    again.close()


def test_saving_disturbs_nobody(config: TownConfig, tmp_path: Path) -> None:
    watched, alone = (Simulation(config, towns=2, seed=9) for _ in range(2))
    teachers = Teacher(watched), Teacher(alone)
    for tick in range(300):
        watched.step(teachers[0].act())
        alone.step(teachers[1].act())
        if tick % 50 == 0:
            watched.save(tmp_path / "town.safetensors")
    require_same(watched, alone)


def test_one_history_gives_one_file_to_the_byte(config: TownConfig, tmp_path: Path) -> None:
    for name in ("one", "two"):
        sim = Simulation(config, towns=2, seed=9)
        live(sim, 200, seed=4)
        sim.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_towns_in_different_episodes_live_on(lived: Simulation, tmp_path: Path) -> None:
    lived.reset_towns(np.array([False, True]), np.array([0, 3]))
    live(lived, 20, seed=2)
    lived.save(tmp_path / "town.safetensors")
    again = Simulation.load(tmp_path / "town.safetensors")
    assert again.state.towns["tick"][0] != again.state.towns["tick"][1]
    require_same_life(lived, again, 60, seed=3)


def test_towns_that_advanced_unobserved_live_on(lived: Simulation, tmp_path: Path) -> None:
    """Their observation is that of an earlier tick, and so is the loaded one."""
    teacher = Teacher(lived)
    for _ in range(30):
        lived.advance(teacher.act())
    lived.save(tmp_path / "town.safetensors")
    require_same_life(lived, Simulation.load(tmp_path / "town.safetensors"), 60, seed=3)


def test_nothing_that_changes_in_a_simulation_is_left_out_of_its_file(lived: Simulation) -> None:
    """Whoever adds an attribute decides here whether it follows from the constructor or has to be saved."""
    constructed = {"config", "seed", "first_town", "rules", "names", "layout", "_opening", "_threads", "_pool"}
    saved = {"state", "_out"}
    assert set(vars(lived)) == constructed | saved
    assert set(lived.arrays()) == {
        *(f"state.{name}" for name in lived.state._fields),
        *(f"outputs.{name}" for name in lived._out._fields),
    }


def test_arrays_that_do_not_fit_change_nothing(config: TownConfig, lived: Simulation) -> None:
    other = Simulation(config, towns=2, seed=6)
    before = {name: array.tobytes() for name, array in other.arrays().items()}
    spoilt = {name: array.copy() for name, array in lived.arrays().items()}
    spoilt["state.agents"]["target"][1, 3] = 30_000
    with pytest.raises(DataError, match=r"agents\.target is 30000; expected -1 to"):
        other.restore(spoilt)
    assert {name: array.tobytes() for name, array in other.arrays().items()} == before
