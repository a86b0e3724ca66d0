"""How the users of an object take turns."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.core import Simulation
from townlet_core.scenarios.probes import Pattern, Values
from townlet_core.world.events import Event
from townlet_core.world.state import NOBODY, WAITING


class RotationProbe:
    """Follows who uses some objects, how long others waited, and whether somebody hogs one."""

    def __init__(self, objects: tuple[int, ...], take: str, sim: Simulation) -> None:
        towns, _ = sim.shape
        self._take = take
        self._objects = objects
        self._finishes = Pattern(Event.AFFORDANCE_FINISH, objects=objects)
        self._waits = [Pattern(kind, objects=objects) for kind in (Event.HANDOVER, Event.QUEUE_LEAVE)]
        self._starts = Pattern(Event.AFFORDANCE_START, objects=objects)
        self._users: list[set[int]] = [set() for _ in range(towns)]
        self._longest = np.zeros(towns)
        self._latest = np.full(sim.state.fixtures.shape, NOBODY)
        self._row = np.zeros(sim.state.fixtures.shape, np.int64)
        self._longest_row = np.zeros(towns)

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Take in who finished, who got a turn or gave up, and who began."""
        finished = events[self._finishes.match(events)]
        for town, user in zip(finished["town"].tolist(), finished["subject"].tolist(), strict=True):
            self._users[town].add(user)
        for pattern in self._waits:
            waited = events[pattern.match(events)]
            np.fmax.at(self._longest, waited["town"], waited["value"])
        for begun in events[self._starts.match(events)]:
            self._begin(sim, begun["town"], begun["object"], begun["subject"])

    def values(self, sim: Simulation) -> Values:
        """What was asked for, [towns, 1]."""
        users = [len(each) for each in self._users]
        longest = np.fmax(self._longest, self._still_waiting(sim))
        taken = {"users": np.array(users), "longest_wait": longest, "in_a_row": self._longest_row}
        return np.asarray(taken[self._take], np.float64)[:, None]

    def _still_waiting(self, sim: Simulation) -> npt.NDArray[np.float64]:
        """How long those have waited who wait at the end, the longest of each town."""
        agents, now = sim.agents, sim.state.towns["tick"][:, None]
        waiting = (agents["alive"] == 1) & (agents["phase"] == WAITING) & np.isin(agents["target"], self._objects)
        return np.asarray(np.where(waiting, now - agents["queued_at"], 0).max(axis=1), np.float64)

    def _begin(self, sim: Simulation, town: int, fixture: int, user: int) -> None:
        contested = sim.state.fixtures["waiting"][town, fixture] > 0
        again = contested and self._latest[town, fixture] == user
        self._row[town, fixture] = self._row[town, fixture] + 1 if again else 1
        self._latest[town, fixture] = user
        if contested:
            self._longest_row[town] = max(self._longest_row[town], self._row[town, fixture])
