"""Compiled kernels: the one decorator around numba, the source digest that keys its cache, and the random streams."""

from townlet_core.kernels.compilation import kernel
from townlet_core.kernels.references import refer
from townlet_core.kernels.streams import EVENTS, POLICY, WORLD, seed_streams, uniform, uniform_between
from townlet_core.sources import source_digest

__all__ = [
    "EVENTS",
    "POLICY",
    "WORLD",
    "kernel",
    "refer",
    "seed_streams",
    "source_digest",
    "uniform",
    "uniform_between",
]
