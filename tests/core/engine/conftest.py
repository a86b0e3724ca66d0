"""Towns to test with, and ways to let them live."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from townlet_core.config import TownConfig
from townlet_core.core import Simulation, Step
from townlet_core.policy.teacher import Teacher

CONFIGS = Path(__file__).parents[3] / "configs"
Live = Callable[[Simulation, int], Iterator[Step]]


@pytest.fixture(scope="session")
def taught() -> Live:
    """Live a number of ticks as the teacher would."""

    def live(sim: Simulation, ticks: int) -> Iterator[Step]:
        teacher = Teacher(sim)
        for _ in range(ticks):
            yield sim.step(teacher.act())

    return live


@pytest.fixture(scope="session")
def at_random() -> Callable[[Simulation, int, int], Iterator[Step]]:
    """Live a number of ticks by legal options drawn at random."""

    def live(sim: Simulation, ticks: int, seed: int) -> Iterator[Step]:
        rng = np.random.default_rng(seed)
        for _ in range(ticks):
            luck = rng.random(sim.observation.mask.shape) * sim.observation.mask
            yield sim.step(luck.argmax(axis=2).astype(np.int8))

    return live


@pytest.fixture(scope="session")
def unsheltered(config: TownConfig) -> TownConfig:
    """The default town where nothing keeps anybody from leaving and nobody comes instead."""
    alone = config.lifecycle.arrivals.model_copy(update={"enabled": False})
    changes = {"exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": alone}
    return config.model_copy(update={"lifecycle": config.lifecycle.model_copy(update=changes)})
