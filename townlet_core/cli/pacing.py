"""Watching a town in the terminal at a pace that a person chooses: --speed, and keys while it runs."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from townlet_core.cli.chronicle import Chronicle
from townlet_core.cli.options import refuse_unused
from townlet_core.cli.watching import show
from townlet_core.console import SPEEDS, TownClock
from townlet_core.core import Simulation

Speed = Annotated[
    int, typer.Option(help=f"Speed of --watch: {', '.join(map(str, SPEEDS))}; 1 is four minutes a second, 0 a pause.")
]
WATCHED = 10
"""Speed at which one can follow a town."""
KEYS = "space: pause, +: faster, -: slower"
LOOK_SECONDS = 0.02
"""How often keys are looked for."""


def refuse_pace(context: typer.Context, watch: bool) -> None:
    """Raise InputError for a speed where nobody watches."""
    if not watch:
        refuse_unused(context, ["speed"], "is the speed of --watch; add it, or leave the option out")


class Watcher:
    """Draws the first town after each tick that a person can see, and holds the next tick back until it is due."""

    def __init__(
        self, sim: Simulation, clock: TownClock, keys: Callable[[], str], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Watch towns.

        Args:
            sim: The towns.
            clock: Says when ticks are due.
            keys: Gives what has been typed since it was last asked.
            sleep: Waits some seconds.
        """
        self._sim, self._clock, self._keys, self._sleep = sim, clock, keys, sleep
        self._due, self._before_pause = 0, clock.speed or 1
        self._chronicle = Chronicle(sim)

    def after_tick(self) -> None:
        """Draw the town, unless more ticks are due already; then wait for the next one."""
        self._due -= 1
        self._chronicle.after_tick()
        if self._due > 0:
            return
        self._draw()
        while self._due <= 0:
            self._obey(self._keys())
            self._due = self._clock.ticks_due()
            if self._due == 0:
                self._sleep(LOOK_SECONDS)

    def tell(self, line: str) -> None:
        """Show a line among what has happened."""
        self._chronicle.note(line)

    def _draw(self) -> None:
        speed = f"{self._clock.speed}×" if self._clock.speed else "paused"
        show(self._sim, self._sim.config.map, f"{speed} ({KEYS})", self._chronicle.told)

    def _obey(self, typed: str) -> None:
        for key in typed:
            if key == " ":
                self._toggle()
            elif key in "+=":
                self._clock.faster()
            elif key == "-":
                self._clock.slower()
        if typed:
            self._draw()

    def _toggle(self) -> None:
        if self._clock.speed:
            self._before_pause, self._clock.speed = self._clock.speed, 0
        else:
            self._clock.speed = self._before_pause


@contextmanager
def watching(sim: Simulation, speed: int | None) -> Iterator[Watcher | None]:
    """Watch towns at a speed while they live; None watches nothing. The terminal is left as it was found.

    Raises:
        InputError: The clock has no such speed.
    """
    if speed is None:
        yield None
        return
    clock = TownClock(speed)
    with _keyboard() as keys:
        yield Watcher(sim, clock, keys)


@contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """Read single keys without waiting for a line; where nobody can type, nothing is typed."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    terminal = sys.stdin.fileno()
    found = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield lambda: _typed(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, found)


def _typed(terminal: int) -> str:
    ready, _, _ = select.select([terminal], [], [], 0)
    return os.read(terminal, 64).decode(errors="ignore") if ready else ""
