"""Draws a town in the terminal: the map in colour, the citizens as numbers, their needs beside it."""

import sys
from collections.abc import Iterator

from townlet_core.config import NEED_NAMES, OPTION_NAMES, MapConfig
from townlet_core.core import Simulation

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
CLEAR, PLAIN, BOLD = "\x1b[2J", "\x1b[0m", "\x1b[1;97m"
COLOURS = {"wall": "90", "door": "33", "floor": "37", "road": "90", "grass": "32", "home": "36"}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def draw_frame(sim: Simulation, plan: MapConfig, town: int = 0, *, colour: bool = True) -> str:
    """Picture one town as text: a line per map row, then a line per citizen.

    Args:
        sim: The towns.
        plan: The map that they live on.
        town: Which town of the batch.
        colour: Whether to use ANSI colours.
    """
    people = {(int(who.y), int(who.x)): DIGITS[k % len(DIGITS)] for k, who in enumerate(sim.agents[town]) if who.alive}
    rows = [
        "".join(_cell(plan, tile, people.get((y, x)), colour) for x, tile in enumerate(row))
        for y, row in enumerate(plan.rows)
    ]
    return "\n".join([_clock(sim), *rows, *_citizens(sim, town)])


def show(sim: Simulation, plan: MapConfig, note: str = "") -> None:
    """Draw the first town over the previous picture, with a note below."""
    frame = f"{draw_frame(sim, plan)}\n{note}".replace("\n", CLEAR_LINE + "\n")
    sys.stdout.write(f"{CLEAR if sim.tick <= 1 else ''}{HOME}{frame}{CLEAR_LINE}{CLEAR_BELOW}\n")
    sys.stdout.flush()


def _clock(sim: Simulation) -> str:
    clock = sim.config.clock
    hour, minute = divmod(sim.minute * 1440 // clock.ticks_per_day, 60)
    return f"day {1 + (sim.tick + clock.start_tick) // clock.ticks_per_day}, {hour:02}:{minute:02}"


def _cell(plan: MapConfig, tile: str, person: str | None, colour: bool) -> str:
    if person is not None:
        return f"{BOLD}{person}{PLAIN}" if colour else person
    return f"\x1b[{COLOURS[plan.legend[tile].terrain]}m{tile}{PLAIN}" if colour else tile


def _citizens(sim: Simulation, town: int) -> Iterator[str]:
    for index, who in enumerate(sim.agents[town]):
        needs = "  ".join(f"{name} {level:4.2f}" for name, level in zip(NEED_NAMES, who.needs, strict=True))
        state = OPTION_NAMES[who.option] if who.alive else "gone"
        yield f"{DIGITS[index % len(DIGITS)]}  {needs}  wallet {who.wallet:6.2f}  {state}"
