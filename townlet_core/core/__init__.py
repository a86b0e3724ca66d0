"""Core: the tick, and the Simulation that owns a batch of towns."""

from townlet_core.core.identity import SCHEMA_VERSION, UNNAMED, Actor, Identity
from townlet_core.core.kpis import kpi_meaning
from townlet_core.core.outcome import EventBatch, Observation, Step
from townlet_core.core.simulation import Simulation
from townlet_core.sources import ENGINE

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
    "kpi_meaning",
]
