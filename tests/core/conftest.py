"""The town that most tests live in, and those of the scenarios."""

from collections.abc import Callable
from pathlib import Path

import pytest

from townlet_core.config import TownConfig, load_config, load_scenario

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="session")
def config() -> TownConfig:
    """The default town."""
    return load_config(CONFIGS / "towns" / "default.yaml")


@pytest.fixture(scope="session")
def scenario_config() -> Callable[[str], TownConfig]:
    """The town of a scenario, by name."""
    return lambda name: load_scenario(name, CONFIGS).config
