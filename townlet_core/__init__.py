"""Townlet: a small town, simulated in batches, that learning agents live in."""

from typing import Any

__all__ = ["Simulation", "load_config"]


def __getattr__(name: str) -> Any:
    """Give the two names that a first script needs, without loading the engine for whoever wants less."""
    if name == "Simulation":
        from townlet_core.core import Simulation

        return Simulation
    if name == "load_config":
        from townlet_core.config import load_config

        return load_config
    raise AttributeError(f"module 'townlet_core' has no attribute {name!r}")
