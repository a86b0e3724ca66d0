"""Plain data as a release run gives it to its summary."""

from typing import Any

import numpy as np
import pytest

from townlet_core.telemetry.days import HOURS, LEVELS, SLOTS, DayProfile
from townlet_core.telemetry.intervals import mean_interval
from townlet_core.telemetry.kpis import KpiRow

ACTIONS = ("idle", "eat_home", "cook", "eat_out", "wash", "sleep", "work", "shop", "relax")


@pytest.fixture
def report() -> dict[str, Any]:
    """A training report of three epochs; one action was never predicted."""
    curve = [
        {
            "epoch": epoch,
            "loss": 2.0 / epoch,
            "value_loss": 1.0,
            "validation_loss": 2.1 / epoch,
            "accuracy": 1.0 - 0.5 / epoch,
        }
        for epoch in (1, 2, 3)
    ]
    actions: dict[str, Any] = {
        name: {"decisions": 10, "share": 0.1, "recall": 0.9, "precision": 0.8} for name in ACTIONS
    }
    actions["work"] = {"decisions": 20, "share": 0.2, "recall": 0.0, "precision": None}
    return {
        "accuracy": 0.8333, "majority_share": 0.2, "majority_action": "work", "train_decisions": 30211,
        "held_decisions": 100, "best_epoch": 3, "curve": curve, "actions": actions,
        "scenarios": {"plain": {"decisions": 100, "accuracy": 0.8333, "majority_share": 0.2}},
    }  # fmt: skip


@pytest.fixture
def days() -> list[DayProfile]:
    """Three scenarios of random days."""
    rng = np.random.default_rng(2)
    return [
        DayProfile(
            name,
            ACTIONS,
            rng.integers(50, 100, (HOURS, len(ACTIONS))),
            rng.integers(0, 5, (HOURS, len(ACTIONS))),
            rng.integers(0, 9, (3, SLOTS, LEVELS)),
            17,
        )
        for name in ("ordinary_day", "low_money", "one_shower")
    ]


@pytest.fixture
def kpis() -> list[KpiRow]:
    """Two policies in two scenarios; one figure was not measured, one is not shown."""
    rng = np.random.default_rng(4)
    figures = ("survival", "attendance", "return", "uses_wash")
    rows = [
        KpiRow(scenario, policy, kpi, mean_interval(rng.uniform(0, 1, 6)))
        for scenario in ("ordinary_day", "low_money")
        for policy in ("candidate", "teacher")
        for kpi in figures
    ]
    unmeasured = ("low_money", "teacher", "return")
    return [row._replace(interval=mean_interval([np.nan])) if row[:3] == unmeasured else row for row in rows]
