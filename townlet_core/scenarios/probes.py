"""Probes: each takes one measure of every town while the towns live, in memory that does not grow."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from townlet_core.core import Simulation

Values = npt.NDArray[np.float64]
"""Measured values [towns, things]; NaN where nothing was there to measure."""
Reading = Callable[[Simulation], Values]


class Probe(Protocol):
    """Something that follows a batch of towns from their first tick and has a value per town at the end."""

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Look at the towns after a tick; `events` are its rows, with `town` counted from 0 in this batch."""

    def values(self, sim: Simulation) -> Values:
        """What was measured, [towns, things]: one thing, or every citizen or object that is meant."""


class Pattern(NamedTuple):
    """Which event rows are meant, in numbers; None stands for any.

    `subject` is a person; `other` is the second one, the affordance of a use or the utility of an outage, as the kind
    of event has it.
    """

    kind: int
    subject: int | None = None
    other: int | None = None
    objects: tuple[int, ...] | None = None

    def match(self, events: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Say which rows are meant, bool [rows]."""
        found: npt.NDArray[np.bool_] = events["kind"] == self.kind
        if self.subject is not None:
            found &= events["subject"] == self.subject
        if self.other is not None:
            found &= events["other"] == self.other
        if self.objects is not None:
            found &= np.isin(events["object"], self.objects)
        return found


def living(sim: Simulation, person: int | None) -> npt.NDArray[np.bool_]:
    """Say in which places a person lives now, or anybody for None, bool [towns, places]."""
    alive: npt.NDArray[np.bool_] = sim.agents["alive"] == 1
    return alive if person is None else alive & (sim.agents["person"] == person)


class EventProbe:
    """Counts events, or keeps the largest value that one carried or the tick of the first, ticks since the start."""

    def __init__(self, pattern: Pattern, take: str, towns: int) -> None:
        self._pattern, self._take = pattern, take
        self._count = np.zeros(towns)
        self._largest = np.full(towns, np.nan)
        self._first = np.full(towns, np.nan)

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Count what came this tick."""
        rows = events[self._pattern.match(events)]
        if len(rows):
            towns = rows["town"]
            self._count += np.bincount(towns, minlength=len(self._count))
            np.fmax.at(self._largest, towns, rows["value"])
            self._first[towns] = np.fmin(self._first[towns], sim.tick)

    def values(self, sim: Simulation) -> Values:
        """The count, the largest value or the first tick, [towns, 1]."""
        taken = {"count": self._count, "largest": self._largest, "first_tick": self._first}[self._take]
        return taken[:, None]


class OrderProbe:
    """Follows a chain of events in each town, and says how many of its links have come, one after another."""

    def __init__(self, chain: list[Pattern], towns: int) -> None:
        self._chain = chain
        self._reached = np.zeros(towns, np.int64)

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Go on along the chain with the events of this tick, in their order."""
        matches = np.array([pattern.match(events) for pattern in self._chain])
        for row in np.flatnonzero(matches.any(axis=0)):
            town = events["town"][row]
            if self._reached[town] < len(self._chain) and matches[self._reached[town], row]:
                self._reached[town] += 1

    def values(self, sim: Simulation) -> Values:
        """How many links have come, [towns, 1]."""
        return self._reached[:, None].astype(np.float64)


class KpiProbe:
    """Reads a key figure at the end."""

    def __init__(self, name: str) -> None:
        self._name = name

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Nothing to follow: the engine keeps the figure."""

    def values(self, sim: Simulation) -> Values:
        """The key figure, [towns, 1]."""
        return sim.kpis()[self._name][:, None]


class StateProbe:
    """Follows a part of the state: where it ends, how low or high it came, or how much it changed."""

    def __init__(self, read: Reading, over: str, sim: Simulation) -> None:
        self._read, self._over = read, over
        self._first = read(sim)
        self._kept = self._first.copy()

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Take the new value in."""
        if self._over == "lowest":
            np.fmin(self._kept, self._read(sim), out=self._kept)
        elif self._over == "highest":
            np.fmax(self._kept, self._read(sim), out=self._kept)

    def values(self, sim: Simulation) -> Values:
        """The value that was asked for, [towns, things]."""
        if self._over in ("lowest", "highest"):
            return self._kept
        return self._read(sim) - (self._first if self._over == "change" else 0.0)


class OptionProbe:
    """Counts the living ticks of a person, or of everybody for None, and those in which they followed an option."""

    def __init__(self, option: int, person: int | None, towns: int) -> None:
        self._option, self._person = option, person
        self._followed, self._lived = np.zeros(towns), np.zeros(towns)

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Count this tick."""
        alive = living(sim, self._person)
        self._lived += alive.sum(axis=1)
        self._followed += (alive & (sim.agents["option"] == self._option)).sum(axis=1)

    def values(self, sim: Simulation) -> Values:
        """The share of ticks, [towns, 1]."""
        share = np.divide(self._followed, self._lived, out=np.full_like(self._lived, np.nan), where=self._lived > 0)
        return share[:, None]


class ObservationProbe:
    """Watches features: how many values leave their declared range, and the largest step from tick to tick."""

    def __init__(self, features: list[int], take: str, sim: Simulation) -> None:
        self._features, self._take = features, take
        bounds = [(sim.layout.features[k].low, sim.layout.features[k].high) for k in features]
        self._low, self._high = np.array(bounds, np.float32).T
        self._outside, self._step = np.zeros(len(sim.agents)), np.zeros(len(sim.agents))
        self._before = self._seen(sim)
        self._count_outside(self._before)

    def note(self, sim: Simulation, events: npt.NDArray[Any]) -> None:
        """Compare what is seen with its range and with what was seen before."""
        seen = self._seen(sim)
        self._count_outside(seen)
        steps = np.nanmax(np.abs(seen - self._before), axis=(1, 2), initial=0.0)
        self._step, self._before = np.fmax(self._step, steps), seen

    def values(self, sim: Simulation) -> Values:
        """The count or the largest step, [towns, 1]."""
        taken = self._outside if self._take == "out_of_range" else self._step
        return taken[:, None].astype(np.float64)

    def _seen(self, sim: Simulation) -> npt.NDArray[np.float32]:
        seen: npt.NDArray[np.float32] = sim.observation.features[..., self._features].copy()
        return seen

    def _count_outside(self, seen: npt.NDArray[np.float32]) -> None:
        within = (seen >= self._low) & (seen <= self._high)  # false for NaN, too
        self._outside += (~within).sum(axis=(1, 2))
