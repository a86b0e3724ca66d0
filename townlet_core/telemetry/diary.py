"""The diary of towns that live: what citizens did at which hour, and how each day went; it grows by a line a day."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig, basket_per_day
from townlet_core.core import Simulation
from townlet_core.telemetry.days import HOURS
from townlet_core.telemetry.intervals import Interval, mean_interval

Values = npt.NDArray[np.float64]


class Tallies(NamedTuple):
    """Running sums per town that a day's figures are differences of, each float64 [towns]."""

    ticks: Values
    conflicts: Values
    queue_waits: Values
    chats: Values
    present: Values
    scheduled: Values
    wages: Values


class DayFigures(NamedTuple):
    """How one day went, per town, each float64 [towns]; what a citizen does is per living citizen and day.

    `survival` and `attendance` are shares; `wages` and `wallet` are in coins, the wallet at midnight.
    """

    survival: Values
    attendance: Values
    conflicts: Values
    queue_waits: Values
    chats: Values
    wages: Values
    wallet: Values


class Diary:
    """Follows a batch of towns tick by tick; about as cheap as counting, and only kept where a report is asked for."""

    def __init__(self, sim: Simulation) -> None:
        towns, options = len(sim.agents), len(sim.names.options)
        self.options = sim.names.options
        self.by_hour: npt.NDArray[np.int64] = np.zeros((HOURS, options), np.int64)
        self.by_town: npt.NDArray[np.int64] = np.zeros((towns, options), np.int64)
        self.days: list[DayFigures] = []
        self._base = np.arange(towns)[:, None] * options
        self._before = _tallies(sim)

    def after_tick(self, sim: Simulation) -> None:
        """Count what everybody alive is about; close the day at midnight."""
        agents, day = sim.agents, sim.config.clock.ticks_per_day
        followed = (self._base + agents["option"])[agents["alive"] == 1]
        counts = np.bincount(followed, minlength=self.by_town.size).reshape(self.by_town.shape)
        self.by_town += counts
        self.by_hour[sim.minute * HOURS // day] += counts.sum(axis=0)
        if sim.minute == 0:
            now = _tallies(sim)
            self.days.append(_day(sim, now, self._before))
            self._before = now

    def shares(self) -> dict[str, Interval]:
        """The share of living ticks that each option was followed, over the towns."""
        total = np.maximum(self.by_town.sum(axis=1), 1)
        return {name: mean_interval(self.by_town[:, k] / total) for k, name in enumerate(self.options)}

    def livelihood(self, config: TownConfig) -> dict[str, Interval]:
        """Wages per citizen and day, what a day costs (rent and basket), and how many times wages cover it.

        Empty before the first midnight. The cost is exact, so its interval is a point.
        """
        if not self.days:
            return {}
        wages = np.mean([day.wages for day in self.days], axis=0)
        cost = config.economy.rent_per_day + basket_per_day(config)
        figures = {"wages_per_day": mean_interval(wages), "cost_of_a_day": Interval(cost, cost, cost, len(wages))}
        return figures | ({"wages_over_cost": mean_interval(wages / cost)} if cost else {})


def _tallies(sim: Simulation) -> Tallies:
    names = ("ticks", "conflicts", "queue_waits", "chats", "present_ticks", "scheduled_ticks", "wages_paid")
    return Tallies(*(sim.agents[name].sum(axis=1, dtype=np.float64) for name in names))


def _day(sim: Simulation, now: Tallies, before: Tallies) -> DayFigures:
    """Take the differences; a sum that fell because somebody made room for a newcomer counts as nothing."""
    gone = Tallies(*(np.maximum(new - old, 0.0) for new, old in zip(now, before, strict=True)))
    lived = np.maximum(gone.ticks, 1.0) / sim.config.clock.ticks_per_day
    alive: npt.NDArray[Any] = sim.agents["alive"] == 1
    wallets = np.where(alive, sim.agents["wallet"], 0.0).sum(axis=1) / np.maximum(alive.sum(axis=1), 1)
    return DayFigures(
        survival=alive.mean(axis=1),
        attendance=gone.present / np.maximum(gone.scheduled, 1.0),
        conflicts=gone.conflicts / lived,
        queue_waits=gone.queue_waits / lived,
        chats=gone.chats / lived,
        wages=gone.wages / lived,
        wallet=wallets,
    )
