"""The desk: the town that commands are about, and what the console remembers of it."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config import Guardrails
from townlet_core.config.explain import unknown_name
from townlet_core.console.envelope import CommandError
from townlet_core.core import UNNAMED, Actor, Simulation
from townlet_core.telemetry.events import NamedEvent
from townlet_core.telemetry.frames import town_state
from townlet_core.telemetry.privacy import Identities

OPEN_NAMES = Identities(None)
"""Operators see the citizens' own names."""


class Shelf(NamedTuple):
    """Where snapshots may be read from and written to, and by which rules they may be loaded."""

    folders: tuple[Path, ...]
    guardrails: Guardrails


class Desk(NamedTuple):
    """What a command works on.

    Attributes:
        sim: The towns.
        town: Which of them.
        shelf: Where snapshots lie.
        journal: The latest events, oldest first.
        possessed: Citizens that the console leads, and the option that each is to choose.
        actor: Who chooses for all others.
    """

    sim: Simulation
    town: int
    shelf: Shelf
    journal: deque[NamedEvent]
    possessed: dict[int, int]
    actor: Actor = UNNAMED

    @property
    def people(self) -> tuple[str, ...]:
        """What the citizens are called, by their number."""
        return self.sim.people(self.town)

    def citizen(self, name: str) -> int:
        """Find a citizen's number. Raises CommandError (not_found)."""
        return _index("citizen", name, self.people)

    def thing(self, name: str) -> int:
        """Find an object's number. Raises CommandError (not_found)."""
        return _index("object", name, self.sim.names.fixtures)

    def state(self) -> dict[str, Any]:
        """Write the town down as telemetry does, without figures of its own."""
        return town_state(self.sim, self.town, OPEN_NAMES, {}, {})


def _index(kind: str, name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise CommandError("not_found", unknown_name(kind, name, known))
    return known.index(name)
