"""Interventions: letting something happen to a town, or calling it off, between two ticks.

A request is noted in the town's state and carried out at the beginning of the next tick, before anybody chooses. It
is therefore saved with the town, and its event rows leave with that tick's.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from townlet_core.config.explain import unknown_name
from townlet_core.errors import InputError
from townlet_core.world.state import EVENT_ASKED, EVENT_CANCELLED, EVENT_FREE, EVENT_LASTING

if TYPE_CHECKING:
    from townlet_core.core.simulation import Simulation


class LastingEvent(NamedTuple):
    """A perturbation that lasts: its number in the town, its name, the tick at which it ends, and a meet's place."""

    number: int
    name: str
    until: int
    place: str | None


def lasting_events(sim: "Simulation", town: int) -> list[LastingEvent]:
    """List the perturbations that last in a town, in the order in which they began."""
    common, names = sim.state.towns[_known_town(sim, town)], sim.names
    found = []
    for slot in np.flatnonzero(common["event_phase"] == EVENT_LASTING):
        place = int(common["event_place"][slot])
        where = names.fixtures[place] if place >= 0 else None
        name = names.perturbations[common["event_spec"][slot]]
        found.append(LastingEvent(int(common["event_id"][slot]), name, int(common["event_end"][slot]), where))
    return sorted(found)


def trigger_event(sim: "Simulation", town: int, name: str, ticks: int | None, magnitude: float | None) -> int:
    """Ask for a perturbation of the configuration to begin with the next tick; see ``Simulation.trigger``."""
    common, spec = sim.state.towns[_known_town(sim, town)], _known_spec(sim, name)
    wants_magnitude = sim.config.perturbations.events[name].magnitude is not None
    if ticks is not None and not 1 <= ticks <= MOST_TICKS:
        raise InputError(f"ticks: found {ticks}, expected 1 to {MOST_TICKS}")
    if magnitude is not None and not (wants_magnitude and 0.1 <= magnitude <= 10.0):
        right = "0.1 to 10" if wants_magnitude else "none: this perturbation has no magnitude"
        raise InputError(f"magnitude: found {magnitude}, expected {right}")
    free = np.flatnonzero(common["event_phase"] == EVENT_FREE)
    if not len(free):
        raise InputError(f"{len(common['event_phase'])} perturbations last or are asked for already; cancel one first")
    common["event_serial"] += 1
    number = int(common["event_serial"])
    _note(common, int(free[0]), (EVENT_ASKED, spec, number, ticks or 0, magnitude or 0.0))
    return number


def cancel_event(sim: "Simulation", town: int, number: int) -> None:
    """Ask for a perturbation to end with the next tick; see ``Simulation.cancel``."""
    common = sim.state.towns[_known_town(sim, town)]
    phase = common["event_phase"]
    found = np.flatnonzero((common["event_id"] == number) & np.isin(phase, (EVENT_ASKED, EVENT_LASTING)))
    if not len(found):
        known = ", ".join(str(event.number) for event in lasting_events(sim, town)) or "none"
        raise InputError(f"perturbation {number} does not last in town {town}; those that do: {known}")
    slot = int(found[0])
    phase[slot] = EVENT_FREE if phase[slot] == EVENT_ASKED else EVENT_CANCELLED
    common["event_wake"] = 0


MOST_TICKS = 100_000


def _note(common: Any, slot: int, values: tuple[int, int, int, int, float]) -> None:
    for name, value in zip(("phase", "spec", "id", "ticks", "value"), values, strict=True):
        common[f"event_{name}"][slot] = value
    common["event_wake"] = 0


def _known_town(sim: "Simulation", town: int) -> int:
    towns = sim.shape[0]
    if not 0 <= town < towns:
        raise InputError(f"town: found {town}, expected 0 to {towns - 1}")
    return town


def _known_spec(sim: "Simulation", name: str) -> int:
    known = sim.names.perturbations
    if name not in known:
        reason = unknown_name("perturbation", name, known) or "this town has no perturbations; list some in its file"
        raise InputError(reason)
    return known.index(name)
