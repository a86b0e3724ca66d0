"""Draws a town in the terminal: the map in colour, and beside it how the citizens fare and what has happened."""

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from townlet_core.config import NEED_NAMES, OPTION_NAMES, MapConfig
from townlet_core.core import Simulation
from townlet_core.policy.pictures import clock_text, mark_of

HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
CLEAR, PLAIN = "\x1b[2J", "\x1b[0m"
GROUND = {"wall": 238, "door": 137, "floor": 253, "road": 246, "grass": 108, "home": 230}
THINGS = (131, 66, 97, 71, 133, 68, 94, 30, 167, 60, 101)
PEOPLE = (196, 208, 226, 118, 51, 75, 141, 213)
"""Colours out of the 256 that terminals have: of the ground by kind, of objects and of citizens in their order."""
UPPER_HALF = "▀"
LEVELS, STEPS = (0.3, 0.6), "▁▂▃▄▅▆▇█"
WORRYING, MIDDLING, FINE = 160, 178, 71
GAP = "  "
_STYLE = re.compile(r"\x1b\[[0-9;]*m")

Tile = tuple[int, int]


def draw_frame(
    sim: Simulation, plan: MapConfig, town: int = 0, *, colour: bool = True, told: Sequence[str] = ()
) -> str:
    """Picture one town as text: the map, and beside it the time, a line per citizen, and the latest sentences.

    Args:
        sim: The towns.
        plan: The map that they live on.
        town: Which town of the batch.
        colour: Whether to use colours, two map rows to a line; else a character is a tile.
        told: Sentences to show, the latest last.
    """
    people = {(int(who.y), int(who.x)): k for k, who in enumerate(sim.agents[town]) if who.alive}
    picture = list(_painted(plan, people) if colour else _written(plan, people))
    beside = [clock_text(sim, town), "", *_citizens(sim, town, colour), "", *told]
    blank = " " * len(plan.rows[0])
    return "\n".join(f"{row}{GAP}{text}".rstrip() for row, text in zip_longest(picture, beside, fillvalue=blank))


def show(sim: Simulation, plan: MapConfig, note: str = "", told: Sequence[str] = ()) -> None:
    """Draw the first town over the previous picture, as much as the terminal holds, with a note in the last line."""
    width, height = shutil.get_terminal_size((100, 30))
    lines = draw_frame(sim, plan, told=told).split("\n")[: height - 1]
    text = "".join(f"{cropped(line, width)}{PLAIN}{CLEAR_LINE}\n" for line in lines)
    sys.stdout.write(f"{CLEAR if sim.tick <= 1 else ''}{HOME}{text}{cropped(note, width)}{CLEAR_LINE}{CLEAR_BELOW}")
    sys.stdout.flush()


def cropped(line: str, width: int) -> str:
    """Cut a line after so many characters that can be seen; its colours stay."""
    kept, seen, end = [], 0, 0
    for style in _STYLE.finditer(line):
        text = line[end : style.start()][: width - seen]
        kept += [text, style.group()]
        seen, end = seen + len(text), style.end()
    return "".join([*kept, line[end:][: width - seen]])


def _written(plan: MapConfig, people: dict[Tile, int]) -> Iterator[str]:
    for y, row in enumerate(plan.rows):
        yield "".join(mark_of(people[y, x]) if (y, x) in people else tile for x, tile in enumerate(row))


def _painted(plan: MapConfig, people: dict[Tile, int]) -> Iterator[str]:
    """Two tiles to a character: the upper is its ink, the lower its paper; a citizen takes the whole character."""
    colours = [[_colour(plan, tile) for tile in row] for row in plan.rows]
    for y in range(0, len(colours), 2):
        lower = colours[y + 1] if y + 1 < len(colours) else [0] * len(colours[y])
        cells = [
            _person(people, y, x) or (ink, paper, UPPER_HALF)
            for x, (ink, paper) in enumerate(zip(colours[y], lower, strict=True))
        ]
        yield _inked(cells)


def _person(people: dict[Tile, int], y: int, x: int) -> tuple[int, int, str] | None:
    who = people.get((y, x), people.get((y + 1, x)))
    return None if who is None else (16, PEOPLE[who % len(PEOPLE)], mark_of(who))


def _colour(plan: MapConfig, tile: str) -> int:
    entry = plan.legend[tile]
    kinds = sorted({entry.object for entry in plan.legend.values() if entry.object is not None})
    return GROUND[entry.terrain] if entry.object is None else THINGS[kinds.index(entry.object) % len(THINGS)]


def _inked(cells: Sequence[tuple[int, int, str]]) -> str:
    """Write characters with their colours, named only where they change."""
    parts, before = [], None
    for ink, paper, character in cells:
        if (ink, paper) != before:
            parts.append(f"\x1b[38;5;{ink};48;5;{paper}m")
        parts.append(character)
        before = ink, paper
    return "".join([*parts, PLAIN])


def _citizens(sim: Simulation, town: int, colour: bool) -> Iterator[str]:
    yield f"   {'name':<9} {' '.join(name[:3] for name in NEED_NAMES)}  wallet"
    for index, who in enumerate(sim.agents[town]):
        name, mark = sim.names.agents[index], mark_of(index)
        shown = _inked([(16, PEOPLE[index % len(PEOPLE)], mark)]) if colour else mark
        if not who.alive:
            yield f" {shown} {name:<9} gone"
            continue
        needs = " ".join(_need(level, colour) for level in who.needs)
        yield f" {shown} {name:<9} {needs}  {who.wallet:6.2f}  {OPTION_NAMES[who.option]}"


def _need(level: Any, colour: bool) -> str:
    text = f"{STEPS[min(int(level * len(STEPS)), len(STEPS) - 1)]}{min(round(100 * float(level)), 99):02}"
    ink = WORRYING if level < LEVELS[0] else MIDDLING if level < LEVELS[1] else FINE
    return f"\x1b[38;5;{ink}m{text}{PLAIN}" if colour else text
