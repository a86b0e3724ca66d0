"""The map: terrain codes, homes, and how far every tile is from every object."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import MapConfig
from townlet_core.kernels import kernel

TERRAINS = ("wall", "floor", "door", "road", "grass", "home")
WALL, FLOOR, DOOR, ROAD, GRASS, HOME = range(6)
PUBLIC = -1
UNREACHABLE = 65535
STEPS = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int64)
"""The four moves as (dy, dx): north, east, south, west."""


class Grid(NamedTuple):
    """A map as arrays.

    Attributes:
        terrain: Terrain code of each tile, uint8 [H, W].
        fixture: Index of the object that stands on each tile or -1, int16 [H, W].
        home: Number of the home that each tile belongs to or -1, int16 [H, W].
        distance: Steps from each tile to each object, uint16 [O, H, W]; 65535 where there is no way.
    """

    terrain: npt.NDArray[np.uint8]
    fixture: npt.NDArray[np.int16]
    home: npt.NDArray[np.int16]
    distance: npt.NDArray[np.uint16]


class Placement(NamedTuple):
    """An object on the map: its type name and tile."""

    type: str
    y: int
    x: int


def terrain_of(config: MapConfig) -> npt.NDArray[np.uint8]:
    """Return the terrain code of each tile, uint8 [H, W]."""
    code = {char: TERRAINS.index(entry.terrain) for char, entry in config.legend.items()}
    return np.array([[code[char] for char in row] for row in config.rows], np.uint8)


def placements_of(config: MapConfig, type_order: Iterable[str]) -> list[Placement]:
    """Return the objects of a map sorted by type (in ``type_order``), then by row and column."""
    found = [
        Placement(entry.object, y, x)
        for y, row in enumerate(config.rows)
        for x, char in enumerate(row)
        if (entry := config.legend[char]).object is not None
    ]
    rank = {name: index for index, name in enumerate(type_order)}
    return sorted(found, key=lambda item: (rank[item.type], item.y, item.x))


def homes_of(terrain: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """Number the connected patches of home tiles in reading order, int16 [H, W]; -1 elsewhere."""
    home = np.full(terrain.shape, PUBLIC, np.int16)
    number = 0
    for y, x in np.argwhere(terrain == HOME):
        if home[y, x] == PUBLIC:
            _flood(home, terrain, int(y), int(x), number)
            number += 1
    return home


def _flood(home: npt.NDArray[np.int16], terrain: npt.NDArray[np.uint8], y: int, x: int, number: int) -> None:
    pending = [(y, x)]
    while pending:
        y, x = pending.pop()
        if terrain[y, x] == HOME and home[y, x] == PUBLIC:
            home[y, x] = number
            pending += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]


def build_grid(config: MapConfig, placements: list[Placement]) -> Grid:
    """Return the map as arrays, with the distance fields of the objects in ``placements`` order."""
    terrain = terrain_of(config)
    fixture = np.full(terrain.shape, -1, np.int16)
    for index, item in enumerate(placements):
        fixture[item.y, item.x] = index
    distance = np.full((len(placements), *terrain.shape), UNREACHABLE, np.uint16)
    frontier = np.empty((terrain.size, 2), np.int64)
    measure_distances(terrain, fixture, distance, frontier)
    return Grid(terrain, fixture, homes_of(terrain), distance)


@kernel(entry=True)
def measure_distances(terrain, fixture, distance, frontier):  # type: ignore[no-untyped-def]
    """Fill ``distance`` [O, H, W] by breadth-first search from every object; ``frontier`` [H * W, 2] is scratch.

    A way leads over free tiles: walls and the tiles of other objects block it. The tile of another object still
    gets a distance, for whoever stands on it and wants to leave.
    """
    height, width = terrain.shape
    for y in range(height):
        for x in range(width):
            if fixture[y, x] >= 0:
                _spread(terrain, fixture, distance[fixture[y, x]], frontier, y, x)


@kernel
def _spread(terrain, fixture, field, frontier, y, x):  # type: ignore[no-untyped-def]
    field[y, x] = 0
    frontier[0, 0], frontier[0, 1] = y, x
    head, tail = 0, 1
    while head < tail:
        cy, cx = frontier[head, 0], frontier[head, 1]
        head += 1
        for k in range(4):
            ny, nx = cy + STEPS[k, 0], cx + STEPS[k, 1]
            if ny < 0 or nx < 0 or ny >= terrain.shape[0] or nx >= terrain.shape[1]:
                continue
            if terrain[ny, nx] == WALL or field[ny, nx] != UNREACHABLE:
                continue
            field[ny, nx] = field[cy, cx] + 1
            if fixture[ny, nx] < 0:
                frontier[tail, 0], frontier[tail, 1] = ny, nx
                tail += 1


def pack_channels(channels: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Pack four uint8 channels [..., 4] into one uint32 per tile, little end first."""
    return np.ascontiguousarray(channels, dtype="<u1").view("<u4")[..., 0].astype(np.uint32)
