"""Staffing: what a person may decide about dismissals, exits and arrivals, between two ticks.

A decision is noted in the town's state and carried out at the next tick. It is therefore saved with the town, and its
event rows leave with that tick's.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from townlet_core.errors import InputError
from townlet_core.world.state import EXIT_APPROVED, EXIT_DEFERRED, EXIT_PENDING

if TYPE_CHECKING:
    from townlet_core.core.simulation import Simulation


class PendingExit(NamedTuple):
    """Somebody who may lose the job: since which tick, the shifts missed within seven days, and when it is decided."""

    since: int
    town: int
    agent: int
    name: str
    absences: int
    until: int


def pending_exits(sim: "Simulation") -> list[PendingExit]:
    """List who waits for a review, in the order of the queue, town by town."""
    review = sim.config.employment.exit_review_window
    found = []
    for town, agent in np.argwhere(sim.agents["exit_state"] == EXIT_PENDING).tolist():
        who = sim.agents[town, agent]
        since, missed = int(who["exit_since"]), int(who["absences"].sum())
        found.append(PendingExit(since, town, agent, sim.people(town)[agent], missed, since + review))
    return sorted(found, key=lambda exit_: (exit_.town, exit_.since, exit_.agent))


def decide_exit(sim: "Simulation", town: int, agent: int, *, approve: bool) -> None:
    """Approve or defer a dismissal that waits for its review; see ``Simulation.approve_exit``."""
    towns, places = sim.shape
    if not (0 <= town < towns and 0 <= agent < places):
        raise InputError(f"town {town}, agent {agent}: expected 0 to {towns - 1} and 0 to {places - 1}")
    if sim.agents["exit_state"][town, agent] != EXIT_PENDING:
        waiting = ", ".join(each.name for each in pending_exits(sim) if each.town == town) or "nobody"
        raise InputError(f"{sim.people(town)[agent]} waits for no review in town {town}; those who do: {waiting}")
    sim.agents["exit_state"][town, agent] = EXIT_APPROVED if approve else EXIT_DEFERRED


def set_in_towns(sim: "Simulation", name: str, value: Any, least: int, most: int) -> None:
    """Set a switch or bound of every town.

    Raises:
        InputError: It is out of its range.
    """
    if not all(least <= number <= most for number in np.atleast_1d(value)):
        raise InputError(f"{name}: found {value}, expected {least} to {most}")
    sim.state.towns[name] = value
