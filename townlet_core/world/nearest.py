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
        at_home: The objects of each type in each home, -1 padded, int16 [homes, types, k].
        public: The objects in no home, type after type, int16 [P].
        public_ranges: Where each type begins in ``public``, int32 [types + 1].
        nearest: For some types, the nearest public objects of each tile, near to far, int16 [lists, H, W, NEAREST].
        nearest_list: Which list a type has in ``nearest``, or -1, int32 [types].
    """

    at_home: npt.NDArray[np.int16]
    public: npt.NDArray[np.int16]
    public_ranges: npt.NDArray[np.int32]
    nearest: npt.NDArray[np.int16]
    nearest_list: npt.NDArray[np.int32]


def build_lookups(fixtures: npt.NDArray[Any], types: int, grid: Grid) -> Lookups:
    """List the objects of a town, records of ``FIXTURE_RULES_DTYPE``, by home and by nearness."""
    outside = [np.flatnonzero((fixtures["home"] == PUBLIC) & (fixtures["type"] == kind)) for kind in range(types)]
    ends = np.cumsum([0, *(len(found) for found in outside)]).astype(np.int32)
    listed = [kind for kind in range(types) if len(outside[kind]) > NEAREST]
    lists = np.full(types, -1, np.int32)
    lists[listed] = np.arange(len(listed))
    nearest = np.zeros((len(listed), *grid.terrain.shape, NEAREST), np.int16)
    for kind in listed:
        nearest[lists[kind]] = _nearest(outside[kind], grid.distance)
    return Lookups(_at_home(fixtures, types, grid), np.concatenate(outside).astype(np.int16), ends, nearest, lists)


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
