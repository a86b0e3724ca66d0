"""A run saves itself at its cadence and keeps the newest few of its own files."""

from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Actor, Simulation
from townlet_core.errors import InputError
from townlet_core.snapshots import load, plan_autosave

TEACHER = Actor("teacher")


def ticks_in(folder: Path) -> list[int]:
    """The ticks of all files of a folder, by file name."""
    return [int(path.stem.split("-")[1]) for path in sorted(folder.iterdir())]


def idle(sim: Simulation, ticks: int, folder: Path, every: int = 100, keep: int = 3) -> None:
    """Let everybody idle while the run saves itself."""
    plan = plan_autosave(folder, every, keep, TEACHER)
    for _ in range(ticks):
        sim.advance(np.zeros(sim.shape, np.int8))
        plan.after_tick(sim)


def test_it_saves_at_its_cadence_and_keeps_the_newest(config: TownConfig, tmp_path: Path) -> None:
    idle(Simulation(config), 550, tmp_path)
    assert ticks_in(tmp_path) == [300, 400, 500]


def test_each_file_goes_on_from_its_tick(config: TownConfig, tmp_path: Path) -> None:
    sim = Simulation(config, towns=2)
    idle(sim, 400, tmp_path)
    newest = load(max(tmp_path.iterdir()))
    assert (newest.identity.tick, newest.identity.policy_name) == (400, "teacher")
    assert newest.sim.state.agents.tobytes() == sim.state.agents.tobytes()


def test_runs_that_share_a_folder_leave_each_other_alone(config: TownConfig, tmp_path: Path) -> None:
    idle(Simulation(config, seed=1), 500, tmp_path, keep=2)
    idle(Simulation(config, seed=2), 200, tmp_path, keep=1)
    assert sorted(ticks_in(tmp_path)) == [200, 400, 500]


def test_a_run_begun_anew_keeps_what_it_saves(config: TownConfig, tmp_path: Path) -> None:
    idle(Simulation(config), 500, tmp_path, keep=2)
    idle(Simulation(config), 200, tmp_path, keep=1)
    assert ticks_in(tmp_path) == [200, 400, 500]


def test_other_files_are_never_removed(config: TownConfig, tmp_path: Path) -> None:
    (tmp_path / "diary-000000001.safetensors").write_text("mine")
    idle(Simulation(config), 300, tmp_path, keep=1)
    assert sorted(ticks_in(tmp_path)) == [1, 300]


@pytest.mark.parametrize(("every", "keep"), [(99, 3), (0, 3), (100, 0), (100, 1001)])
def test_a_cadence_or_a_number_out_of_range_is_refused(tmp_path: Path, every: int, keep: int) -> None:
    with pytest.raises(InputError, match="autosave: "):
        plan_autosave(tmp_path, every, keep, TEACHER)
