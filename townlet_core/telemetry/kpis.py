"""Key figures with their intervals, by scenario and policy."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from townlet_core.telemetry.intervals import Interval, mean_interval

KpiValues = Mapping[str, Mapping[str, Mapping[str, Sequence[float | None]]]]
"""One value per town, by scenario, policy and figure; None where it was not measured."""


class KpiRow(NamedTuple):
    """One figure of one policy in one scenario: mean over towns with its interval, in the figure's own unit."""

    scenario: str
    policy: str
    kpi: str
    interval: Interval


def kpi_rows(values: KpiValues, confidence: float = 0.95) -> list[KpiRow]:
    """Estimate every figure, in the order of the mappings; a value that was not measured makes its figure NaN."""
    return [
        KpiRow(scenario, policy, kpi, mean_interval(_numbers(towns), confidence))
        for scenario, policies in values.items()
        for policy, kpis in policies.items()
        for kpi, towns in kpis.items()
    ]


def _numbers(towns: Sequence[float | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in towns]


def finite(interval: Interval) -> bool:
    """Say whether mean and both bounds are finite, so that they can be drawn."""
    return bool(np.isfinite(interval[:3]).all())
