"""What must hold for a map before anybody can live on it."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from townlet_core.config.documents import KeyPath
from townlet_core.config.maps import MAX_OBJECTS, MAX_SIDE, LegendEntry, MapConfig

Tile = tuple[int, int]


class Problem(NamedTuple):
    """Something wrong at a key: the path from the root of the checked model, and the sentence about it."""

    path: KeyPath
    text: str


class PlacedObject(NamedTuple):
    """An object as the map shows it: its type, its tile (row, column), and whether it stands in a home."""

    type: str
    tile: Tile
    home: bool


def placed_objects(plan: MapConfig) -> list[PlacedObject]:
    """List the objects of a map from north to south and west to east; every character must be in the legend."""
    entries = ((tile, plan.legend[char]) for tile, char in _tiles(plan))
    return [PlacedObject(entry.object, tile, entry.terrain == "home") for tile, entry in entries if entry.object]


def homes(plan: MapConfig) -> list[frozenset[Tile]]:
    """List the homes: 4-neighbour patches of home terrain, objects included, in reading order of their first tile."""
    tiles = {tile for tile, char in _tiles(plan) if plan.legend[char].terrain == "home"}
    return [frozenset(patch) for patch in _patches(tiles)]


def map_problems(plan: MapConfig) -> Iterator[Problem]:
    """Find what is wrong with a map, worst first; later checks run only when the picture itself is sound."""
    picture = [*_picture_problems(plan)]
    if picture:
        yield from picture
        return
    yield from _border_problems(plan)
    yield from _size_problems(plan)
    yield from _reach_problems(plan)


def _tiles(plan: MapConfig) -> Iterator[tuple[Tile, str]]:
    for row, text in enumerate(plan.rows):
        for column, char in enumerate(text):
            yield (row, column), char


def _picture_problems(plan: MapConfig) -> Iterator[Problem]:
    width = len(plan.rows[0])
    for row, text in enumerate(plan.rows):
        if len(text) != width:
            yield Problem(("rows", row), f"this row has {len(text)} tiles; every row has {width} like the first")
    for (row, column), char in _tiles(plan):
        if char not in plan.legend:
            names = " ".join(plan.legend)
            yield Problem(("rows", row), f"column {column} is '{char}', which the legend lacks; it has {names}")


def _border_problems(plan: MapConfig) -> Iterator[Problem]:
    last_row, last_column = len(plan.rows) - 1, len(plan.rows[0]) - 1
    for (row, column), char in _tiles(plan):
        if (row in (0, last_row) or column in (0, last_column)) and plan.legend[char].terrain != "wall":
            yield Problem(("rows", row), f"column {column} is on the border; the border must be wall all around")
            return


def _size_problems(plan: MapConfig) -> Iterator[Problem]:
    if len(plan.rows[0]) > MAX_SIDE:
        yield Problem(("rows", 0), f"the map is {len(plan.rows[0])} tiles wide; at most {MAX_SIDE} fit")
    count = len(placed_objects(plan))
    if count > MAX_OBJECTS:
        yield Problem(("rows",), f"the map holds {count} objects; at most {MAX_OBJECTS} fit")


def _reach_problems(plan: MapConfig) -> Iterator[Problem]:
    free = {tile for tile, char in _tiles(plan) if _walkable(plan.legend[char])}
    town = max(_patches(free), key=len, default=set())
    yield from _unreachable_homes(plan, free, town)
    for thing in placed_objects(plan):
        if not any(tile in town for tile in _neighbours(thing.tile)):
            row, column = thing.tile
            reason = f"the {thing.type} at column {column} cannot be reached; leave a free way to a tile beside it"
            yield Problem(("rows", row), reason)


def _unreachable_homes(plan: MapConfig, free: set[Tile], town: set[Tile]) -> Iterator[Problem]:
    for home in homes(plan):
        inside = sorted(home & free)
        lost = [tile for tile in inside if tile not in town] or ([] if inside else [min(home)])
        if lost:
            row, column = lost[0]
            reason = f"the home at column {column} cannot be reached; every tile of it needs a way to the street"
            yield Problem(("rows", row), reason)


def _walkable(entry: LegendEntry) -> bool:
    return entry.terrain != "wall" and entry.object is None


def _patches(tiles: Iterable[Tile]) -> list[set[Tile]]:
    left = set(tiles)
    patches = []
    for start in sorted(left):
        if start in left:
            patches.append(_flood(start, left))
    return patches


def _flood(start: Tile, left: set[Tile]) -> set[Tile]:
    left.discard(start)
    patch, frontier = {start}, deque([start])
    while frontier:
        for tile in _neighbours(frontier.popleft()):
            if tile in left:
                left.discard(tile)
                patch.add(tile)
                frontier.append(tile)
    return patch


def _neighbours(tile: Tile) -> tuple[Tile, Tile, Tile, Tile]:
    row, column = tile
    return (row - 1, column), (row, column + 1), (row + 1, column), (row, column - 1)
