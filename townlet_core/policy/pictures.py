"""A town as a small picture, in pixels and in characters."""

import colorsys
from string import ascii_letters, digits
from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.core import Simulation
from townlet_core.world.grid import DOOR, FLOOR, GRASS, HOME, ROAD, WALL
from townlet_core.world.state import NEED_NAMES, PHASE_NAMES

Colour = tuple[int, int, int]

TILE = 8
"""Pixels along the side of a tile."""
MARKS = digits[1:] + ascii_letters
"""What agents are called in a picture of characters, in order; after the last one they begin anew."""

MINUTES = 1440
"""Minutes of a day of 24 hours."""

_GROUND: dict[int, Colour] = {
    WALL: (58, 58, 66),
    FLOOR: (226, 218, 204),
    DOOR: (164, 116, 73),
    ROAD: (168, 168, 172),
    GRASS: (146, 190, 122),
    HOME: (240, 228, 190),
}
_DISC = np.hypot(*(np.mgrid[:TILE, :TILE] - (TILE - 1) / 2)) < TILE / 2
_INNER = slice(1, TILE - 1)


def agent_colour(index: int, agents: int) -> Colour:
    """Return the strong colour of one of ``agents`` agents."""
    return _hue(index / agents, 0.9, 0.85)


def paint_town(sim: Simulation, town: int = 0) -> npt.NDArray[np.uint8]:
    """Return a town as pixels, uint8 [H * TILE, W * TILE, 3]: ground, objects as squares, agents as discs."""
    tiles = _ground(sim).repeat(TILE, axis=0).repeat(TILE, axis=1)
    canvas = np.ascontiguousarray(tiles)
    types = len(sim.rules.ranges) - 1
    for fixture in sim.rules.fixtures:
        _tile(canvas, fixture)[_INNER, _INNER] = _hue(fixture.type / types, 0.45, 0.6)
    for index, agent in enumerate(sim.agents[town]):
        if agent.alive:
            _tile(canvas, agent)[_DISC] = agent_colour(index, sim.shape[1])
    return canvas


def write_town(sim: Simulation, town: int = 0) -> str:
    """Return a town as text: the map with its agents on it, what its letters mean, and how each agent fares."""
    rows = [list(row) for row in sim.config.map.rows]
    for index, agent in enumerate(sim.agents[town]):
        if agent.alive:
            rows[agent.y][agent.x] = mark_of(index)
    lives = (_life(sim, _label(index), agent) for index, agent in enumerate(sim.agents[town]))
    return "\n".join([*("".join(row) for row in rows), _legend(sim), clock_text(sim, town), *lives])


def mark_of(index: int) -> str:
    """Return the character that stands for an agent on a map."""
    return MARKS[index % len(MARKS)]


def clock_text(sim: Simulation, town: int = 0) -> str:
    """Return the day of a town, counted from one, and the time of day: a day of any length has 24 hours."""
    length = sim.config.clock.ticks_per_day
    day, tick = divmod(int(sim.state.towns["tick"][town]), length)
    hour, minute = divmod(tick * MINUTES // length, 60)
    return f"day {day + 1}, {hour:02}:{minute:02}"


def _label(index: int) -> str:
    """The agent's mark, and its number where others have that mark too."""
    return mark_of(index) if index < len(MARKS) else f"{mark_of(index)} ({index + 1})"


def _legend(sim: Simulation) -> str:
    things = {mark: entry.object for mark, entry in sim.config.map.legend.items() if entry.object is not None}
    return "  ".join(f"{mark} {thing}" for mark, thing in things.items())


def _life(sim: Simulation, mark: str, agent: Any) -> str:
    if not agent.alive:
        return f"{mark} has left the town"
    needs = " ".join(f"{name} {need:.2f}" for name, need in zip(NEED_NAMES, agent.needs, strict=True))
    doing = f"{sim.names.options[agent.option]}, {PHASE_NAMES[agent.phase]}"
    return f"{mark} {needs} wallet {agent.wallet:.2f}: {doing}"


def _ground(sim: Simulation) -> npt.NDArray[np.uint8]:
    palette = np.array([_GROUND[code] for code in sorted(_GROUND)], np.uint8)
    ground: npt.NDArray[np.uint8] = palette[sim.rules.terrain]
    return ground


def _tile(canvas: npt.NDArray[np.uint8], thing: Any) -> npt.NDArray[np.uint8]:
    top, left = int(thing.y) * TILE, int(thing.x) * TILE
    return canvas[top : top + TILE, left : left + TILE]


def _hue(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue
