"""Towns that have lived a while, and files of them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from townlet_core.config import TownConfig
from townlet_core.core import Simulation

CONFIGS = Path(__file__).parents[3] / "configs"


def legal_actions(sim: Simulation, rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw a legal option for everybody."""
    luck = rng.random(sim.observation.mask.shape) * sim.observation.mask
    return luck.argmax(axis=2).astype(np.int8)


def live(sim: Simulation, ticks: int, seed: int) -> None:
    """Live by legal options drawn at random."""
    rng = np.random.default_rng(seed)
    for _ in range(ticks):
        sim.step(legal_actions(sim, rng))


@pytest.fixture
def lived(config: TownConfig) -> Simulation:
    """Two towns at their 130th tick."""
    sim = Simulation(config, towns=2, seed=5)
    live(sim, 130, seed=1)
    return sim


@pytest.fixture
def saved(lived: Simulation, tmp_path: Path) -> Path:
    """A snapshot of them."""
    path = tmp_path / "two.safetensors"
    lived.save(path)
    return path
