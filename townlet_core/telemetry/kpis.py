"""Key figures with their intervals, by scenario and policy."""

from typing import NamedTuple

import numpy as np

from townlet_core.telemetry.intervals import Interval


class KpiRow(NamedTuple):
    """One figure of one policy in one scenario: mean over towns with its interval, in the figure's own unit."""

    scenario: str
    policy: str
    kpi: str
    interval: Interval


def finite(interval: Interval) -> bool:
    """Say whether mean and both bounds are finite, so that they can be drawn."""
    return bool(np.isfinite(interval[:3]).all())
