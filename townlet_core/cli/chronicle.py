"""What has happened in a town that somebody watches, in sentences."""

from collections import deque

from townlet_core.config.telemetry import NarrationRules
from townlet_core.console.clock import clock_time
from townlet_core.core import Simulation
from townlet_core.telemetry.events import named_events
from townlet_core.telemetry.narration import Narrator

KEPT = 12
"""Sentences that stay to be read."""
RULES = NarrationRules(global_cooldown_ticks=10, global_window_limit=30)
"""Somebody who watches wants to be told more than somebody who reads a log."""


class Chronicle:
    """Tells the first town's events, and remembers the latest sentences.

    Attributes:
        told: The latest sentences with their times, the latest last.
    """

    def __init__(self, sim: Simulation) -> None:
        """Begin with nothing told."""
        self._sim, self._narrator = sim, Narrator(RULES, sim.config.affordances)
        self.told: deque[str] = deque(maxlen=KEPT)

    def after_tick(self) -> None:
        """Tell what the tick brought."""
        rows = self._sim.events.rows
        here = rows[rows["town"] == self._sim.first_town]
        if len(here):
            for sentence in self._narrator.tell(event._asdict() for event in named_events(here, self._sim.names)):
                self.note(sentence["text"], sentence["tick"])

    def note(self, text: str, tick: int | None = None) -> None:
        """Remember a sentence, of now or of another tick."""
        now = int(self._sim.state.towns["tick"][0])
        self.told.append(f"{clock_time(now if tick is None else tick, self._sim.config.clock.ticks_per_day)} {text}")
