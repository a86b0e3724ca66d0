"""Watching draws a picture for a person, at a pace that keys change."""

import pytest

from tests.core.cli.conftest import ROOT
from townlet_core.cli.pacing import Watcher
from townlet_core.config import load_config
from townlet_core.console import TownClock
from townlet_core.core import Simulation


class Room:
    """A person before a screen: time goes on while they wait, and they type what they were told to."""

    def __init__(self, typed: dict[int, str]) -> None:
        self.seconds, self.looks, self.typed = 0.0, 0, typed

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def keys(self) -> str:
        self.looks += 1
        return self.typed.pop(self.looks, "")


@pytest.fixture(scope="module")
def sim() -> Simulation:
    return Simulation(load_config(ROOT / "configs" / "towns" / "default.yaml"))


def watched(sim: Simulation, room: Room, speed: int, ticks: int) -> TownClock:
    clock = TownClock(speed, room.now)
    watcher = Watcher(sim, clock, room.keys, room.sleep)
    for _ in range(ticks):
        watcher.after_tick()
    return clock


@pytest.mark.parametrize(("speed", "seconds"), [(1, 10.0), (10, 1.0), (100, 0.1)])
def test_forty_ticks_take_as_long_as_the_speed_says(
    sim: Simulation, speed: int, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    room = Room({})
    watched(sim, room, speed, 40)
    assert room.seconds == pytest.approx(seconds, rel=0.15, abs=0.03)
    pictures = capsys.readouterr().out.count("day 1, 06:00")
    assert pictures <= room.seconds * 50 + 1
    assert pictures >= min(40, 4)


def test_keys_pause_and_change_the_speed(sim: Simulation, capsys: pytest.CaptureFixture[str]) -> None:
    room = Room({3: " ", 500: " ", 502: "+"})
    clock = watched(sim, room, 1, 3)
    assert clock.speed == 10
    assert room.seconds > 9.0
    shown = capsys.readouterr().out
    assert "paused (space" in shown
    assert "10× (space" in shown
