"""Key figures of the day that has just passed, at every tick, in memory that does not grow."""

import numpy as np
from numpy.typing import NDArray

from townlet_core.core import Simulation
from townlet_core.telemetry.rolling import RollingSums
from townlet_core.world.events import Event

COUNTERS = ("ticks", "satisfied_ticks", "scheduled_ticks", "present_ticks", "conflicts", "queue_waits")
"""Counters of an agent that only rise while it lives, and start again from nothing with another one."""

SHIFTS = (Event.SHIFT_ON_TIME, Event.SHIFT_LATE, Event.SHIFT_ABSENT)

DayFigures = dict[str, float | None]


class DayWindow:
    """Figures of one town over the latest day.

    `lateness` is in minutes per shift, `conflicts` and `queue_waits` (queues joined) are per citizen and day,
    `survival` is the share of those who lived in the window and did not die in it; the rest are shares, too.
    """

    def __init__(self, sim: Simulation, town: int = 0) -> None:
        """Begin with the present tick; nothing of the past is known."""
        self._sim, self._town = sim, town
        self._day = sim.config.clock.ticks_per_day
        self._sums = RollingSums(self._day, (len(COUNTERS) + 3,))
        self._counters = self._read()
        self._alive = sim.agents["alive"][town].astype(bool)

    def observe(self) -> None:
        """Count the latest tick; call it once after every tick."""
        counters = self._read()
        rise = np.where(counters < self._counters, counters, counters - self._counters).sum(axis=1)
        self._sums.add(np.array([*rise, self._deaths(), *self._shifts()], np.float64))
        self._counters = counters

    def figures(self) -> DayFigures:
        """Give the figures by name; None where there was nothing to measure, as lateness without a shift."""
        ticks, satisfied, scheduled, present, conflicts, waits, deaths, minutes, shifts = self._sums.total.tolist()
        return {
            "attendance": _share(present, scheduled),
            "conflicts": _share(conflicts, ticks / self._day),
            "lateness": _share(minutes, shifts),
            "needs_ok_share": _share(satisfied, ticks),
            "queue_waits": _share(waits, ticks / self._day),
            "survival": _share(float(self._alive.sum()), float(self._alive.sum()) + deaths),
        }

    def _read(self) -> NDArray[np.float64]:
        agents = self._sim.agents[self._town]
        return np.array([agents[name] for name in COUNTERS], np.float64)

    def _deaths(self) -> int:
        alive = self._sim.agents["alive"][self._town].astype(bool)
        deaths = int((self._alive & ~alive).sum())
        self._alive = alive
        return deaths

    def _shifts(self) -> tuple[float, int]:
        """Minutes late and shifts, over the shifts that the latest tick saw begun or missed."""
        minutes, shifts = 0.0, 0
        for row in town_rows(self._sim, self._town):
            if row["kind"] in SHIFTS:
                minutes, shifts = minutes + float(row["value"]), shifts + 1
        return minutes, shifts


def town_rows(sim: Simulation, town: int) -> NDArray[np.void]:
    """Event rows of one town in the latest tick."""
    rows: NDArray[np.void] = sim.state.log[town, : int(sim.state.towns["event_count"][town])]
    return rows


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole > 0 else None
