"""Towns that are told of, and targets that can be broken."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config import TownConfig, load_config
from townlet_core.config.telemetry import TelemetryConfig
from townlet_core.core import Simulation
from townlet_core.policy.teacher import Teacher
from townlet_core.telemetry.sender import Sender
from townlet_core.telemetry.stream import TelemetryStream

ROOT = Path(__file__).resolve().parents[3]
QUICK = {"max_attempts": 2, "backoff_seconds": 0.01, "max_backoff_seconds": 0.01}


class MemorySink:
    """A target that keeps what it gets; `fail` makes it break, as often as said."""

    def __init__(self, fail: int = 0) -> None:
        self.data, self.opened, self.fail = b"", 0, fail

    def open(self) -> None:
        self.opened += 1

    def send(self, data: bytes) -> None:
        if self.fail:
            self.fail -= 1
            raise OSError(5, "the line is dead")
        self.data += data

    def close(self) -> None:
        pass


class ForgetfulSink(MemorySink):
    """A target that keeps nothing."""

    def send(self, data: bytes) -> None:
        pass


class Told(NamedTuple):
    """A finished stream: its simulation, its frames and what was sent."""

    sim: Simulation
    frames: list[dict[str, Any]]
    data: bytes


def settings(**sections: Any) -> TelemetryConfig:
    """Telemetry settings with some sections replaced; the reader is waited for, so nothing gets lost."""
    base = {"transport": {}, "buffer": {"when_full": "wait"}, "retry": QUICK}
    return TelemetryConfig.model_validate_json(json.dumps({**base, **sections}))


def default_town(days: int = 1) -> TownConfig:
    """The shipped town with an episode of some days."""
    town = load_config(ROOT / "configs/towns/default.yaml")
    return town.model_copy(update={"clock": town.clock.model_copy(update={"episode_days": days})})


def told(ticks: int, config: TelemetryConfig | None = None, *, town: int = 0, towns: int = 1, seed: int = 3) -> Told:
    """Let towns live under the teacher, with one of them told of."""
    config, sink = config or settings(), MemorySink()
    sim = Simulation(default_town(), towns, seed)
    stream, teacher = TelemetryStream(sim, config, Sender(config, sink), town), Teacher(sim)
    for _ in range(ticks):
        sim.advance(teacher.act())
        stream.observe()
    stream.close()
    return Told(sim, [json.loads(line) for line in sink.data.splitlines()], sink.data)
