"""The telemetry of one town: a snapshot, then what changes, frame by frame, until the end of the run."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from townlet_core.config import canonical_json
from townlet_core.config.telemetry import TelemetryConfig
from townlet_core.core import Simulation
from townlet_core.telemetry.diffs import State, difference
from townlet_core.telemetry.frames import run_facts, town_events, town_state
from townlet_core.telemetry.narration import Narrator
from townlet_core.telemetry.privacy import identities
from townlet_core.telemetry.schema import SCHEMA_VERSION
from townlet_core.telemetry.sender import Sender, SenderStatus
from townlet_core.telemetry.windows import DayWindow


class _Losses(NamedTuple):
    """What makes readers lose the thread: frames that were dropped, connections that were made anew."""

    dropped: int
    connections: int


class TelemetryStream:
    """Publishes one town of a simulation. What it holds does not grow with time."""

    def __init__(self, sim: Simulation, config: TelemetryConfig, sender: Sender | None = None, town: int = 0) -> None:
        """Begin at the simulation's present tick, with a snapshot.

        Args:
            sim: The towns.
            config: How often, how told and how private.
            sender: What carries the frames away, instead of one that the config describes.
            town: Which town of the batch.

        Raises:
            InputError: Privacy is on without a key, or the target cannot be opened.
        """
        self._sim, self._rules, self._town = sim, config.frames, town
        self._identities = identities(config.privacy)
        self._sender = sender or Sender(config)
        self._narrator = Narrator(config.narration, sim.config.affordances)
        self._window = DayWindow(sim, town)
        self._events: list[dict[str, Any]] = []
        self._sentences: list[dict[str, Any]] = []
        self._seq = self._ticks = self._since_snapshot = 0
        self._losses = self._lost()
        self._state: State | None = None
        self._publish({})

    def observe(self, alerts: Mapping[str, int] | None = None) -> None:
        """Take in the latest tick; call it once after every tick.

        Args:
            alerts: The canaries that call in this town, and the tick since when.
        """
        self._window.observe()
        events = town_events(self._sim, self._town, self._identities)
        self._events += events
        self._sentences += self._narrator.tell(events)
        self._ticks += 1
        if self._ticks % self._rules.every_ticks == 0:
            self._publish(dict(alerts or {}))

    def close(self) -> SenderStatus:
        """Send what is left and return how sending went."""
        return self._sender.close()

    def _publish(self, alerts: dict[str, int]) -> None:
        state = town_state(self._sim, self._town, self._identities, self._window.figures(), alerts)
        body = self._snapshot(state) if self._is_due() else self._diff(state)
        head = {"schema_version": SCHEMA_VERSION, "seq": self._seq, "tick": state["clock"]["tick"]}
        frame = {**head, **body, "events": self._events, "narration": self._sentences}
        self._sender.send(canonical_json(frame) + b"\n")
        self._events, self._sentences = [], []
        self._state = state
        self._seq += 1

    def _is_due(self) -> bool:
        """Whether readers need a snapshot: at the beginning, now and then, and after a loss."""
        lost, self._losses = self._losses, self._lost()
        return self._state is None or self._since_snapshot >= self._rules.snapshot_every or lost != self._losses

    def _snapshot(self, state: State) -> dict[str, Any]:
        self._since_snapshot = 1
        return {"kind": "snapshot", "run": run_facts(self._sim, self._town, self._identities), "state": state}

    def _diff(self, state: State) -> dict[str, Any]:
        self._since_snapshot += 1
        changed, removed = difference(self._state or {}, state)
        return {"kind": "diff", "changed": changed, "removed": removed}

    def _lost(self) -> _Losses:
        status = self._sender.status
        return _Losses(status.dropped, status.connections)
