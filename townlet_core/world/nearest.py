"""Which objects to look at first: those of one's home, and public ones from near to far.

Choosing an object is choosing the least cost among all that can serve. The cost is never below the way there, so
whoever goes through the public objects from near to far may stop at the first that is farther than the best so far.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.world.grid import PUBLIC, Grid

NEAREST = 8
"""Public objects of a type that are listed for a tile; types with no more of them in all need no list."""


class Lookups(NamedTuple):
    """Where to look for an object of a type.

    Attributes:
        lists: int16; the objects of each type in each home, -1 padded [homes, types, k], then the public objects by
            type, then, for types with many, the nearest of each tile, near to far [H, W, NEAREST].
        places: For each type the fields of ``AFFORDANCE_DTYPE`` that say where its objects stand in ``lists``.
    """

    lists: npt.NDArray[np.int16]
    places: list[dict[str, int]]


def build_lookups(fixtures: npt.NDArray[Any], types: int, grid: Grid) -> Lookups:
    """List the objects of a town, records of ``FIXTURE_RULES_DTYPE``, by home and by nearness."""
    at_home = _at_home(fixtures, types, grid)
    slots = at_home.shape[2]
    parts, size, places = [at_home.ravel()], at_home.size, []
    for kind in range(types):
        outside = np.flatnonzero((fixtures["home"] == PUBLIC) & (fixtures["type"] == kind))
        near = NEAREST if len(outside) > NEAREST else 0
        listed = [outside.astype(np.int16), _nearest(outside, grid.distance).ravel() if near else np.zeros(0, np.int16)]
        place = {"at_home": kind * slots, "home_stride": types * slots, "per_home": slots}
        places.append(place | {"public": size, "publics": len(outside), "nearest": size + len(outside), "near": near})
        parts += listed
        size += sum(map(len, listed))
    return Lookups(np.concatenate(parts).astype(np.int16), places)


def _nearest(objects: npt.NDArray[np.int64], distance: npt.NDArray[np.uint16]) -> npt.NDArray[np.int16]:
    """Return the nearest of some objects for each tile, the lower number first where two are as near."""
    order = np.argsort(distance[objects], axis=0, kind="stable")[:NEAREST]
    return np.moveaxis(objects[order], 0, -1).astype(np.int16)


def _at_home(fixtures: npt.NDArray[Any], types: int, grid: Grid) -> npt.NDArray[np.int16]:
    homes = int(grid.home.max(initial=-1)) + 1
    found: dict[tuple[int, int], list[int]] = {}
    for index, (home, kind) in enumerate(zip(fixtures["home"].tolist(), fixtures["type"].tolist(), strict=True)):
        if home != PUBLIC:
            found.setdefault((home, kind), []).append(index)
    table = np.full((homes, types, max(map(len, found.values()), default=1)), -1, np.int16)
    for (home, kind), objects in found.items():
        table[home, kind, : len(objects)] = objects
    return table
