"""What one number of an observation is called, between which bounds it lies, and what one unit of it means."""

from typing import NamedTuple


class FeatureSpec(NamedTuple):
    """One entry of the feature vector: its name, its range, and what one unit of it means."""

    name: str
    low: float
    high: float
    unit: str


def shares(unit: str, *names: str) -> list[FeatureSpec]:
    """Describe features between 0 and 1 that share a unit."""
    return [FeatureSpec(name, 0.0, 1.0, unit) for name in names]


def signed(unit: str, *names: str) -> list[FeatureSpec]:
    """Describe features between -1 and 1 that share a unit."""
    return [FeatureSpec(name, -1.0, 1.0, unit) for name in names]


def flags(*names: str) -> list[FeatureSpec]:
    """Describe features that are either 0 or 1."""
    return shares("flag", *names)
