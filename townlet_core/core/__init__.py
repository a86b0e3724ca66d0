"""Core: the tick, and the Simulation that owns a batch of towns."""

from townlet_core.core.simulation import EventBatch, Observation, Simulation, Step

__all__ = ["EventBatch", "Observation", "Simulation", "Step"]
