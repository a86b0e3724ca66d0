"""Core: the tick, and the Simulation that owns a batch of towns."""

from townlet_core.core.identity import ENGINE, SCHEMA_VERSION, UNNAMED, Actor, Identity
from townlet_core.core.simulation import EventBatch, Observation, Simulation, Step

__all__ = [
    "ENGINE",
    "SCHEMA_VERSION",
    "UNNAMED",
    "Actor",
    "EventBatch",
    "Identity",
    "Observation",
    "Simulation",
    "Step",
]
