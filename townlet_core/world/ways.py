"""Ways: which step from a tile leads to an object, as kernels look it up and as a map channel shows it."""

import numpy as np
import numpy.typing as npt

from townlet_core.kernels import kernel
from townlet_core.world.grid import STEPS, UNREACHABLE, Grid

NO_WAY, TOWARDS, STAY, AWAY = 0, 1, 128, 255
"""What a way channel says of its axis: no way at all, north or west, neither, south or east."""


@kernel
def leads_to(distance, fixture_at, f, y, x, d):  # type: ignore[no-untyped-def]
    """Say whether the step in direction ``d`` (north, east, south, west) leads to object ``f``.

    Args:
        distance: uint16 [O, H, W], ``Rules.distance``.
        fixture_at: int16 [H, W], ``Rules.fixture_at``.
        f: The object.
        y: Row of the tile one stands on, which is no wall and therefore not on the border of the map.
        x: Its column.
        d: The direction.
    """
    there_y, there_x = np.uintp(y + STEPS[d, 0]), np.uintp(x + STEPS[d, 1])
    obstacle = fixture_at[there_y, there_x]
    if obstacle >= 0 and obstacle != f:
        return False
    return distance[np.uintp(f), there_y, there_x] < distance[np.uintp(f), np.uintp(y), np.uintp(x)]


def ways_of(grid: Grid, margin: int) -> npt.NDArray[np.uint16]:
    """Return, for each object and tile, the step that leads there: two uint8 channels dy, dx in a uint16.

    A channel is 1 for a step north or west, 255 for south or east, 128 for neither and 0 where there is no way.

    Args:
        grid: The map and its distance fields.
        margin: Tiles added around the map, without ways.

    Returns:
        uint16 [O, H + 2 * margin, W + 2 * margin], dy in the low byte.
    """
    closer = [_closer(grid, dy, dx) for dy, dx in STEPS]
    down = np.select([closer[0], closer[2]], [TOWARDS, AWAY], STAY)
    across = np.select([closer[3], closer[1]], [TOWARDS, AWAY], STAY)
    packed = np.where(grid.distance == UNREACHABLE, NO_WAY, down | across << 8).astype(np.uint16)
    return np.pad(packed, ((0, 0), (margin, margin), (margin, margin)))


def _closer(grid: Grid, dy: int, dx: int) -> npt.NDArray[np.bool_]:
    """Return where a step by (dy, dx) leads closer to each object, bool [O, H, W]."""
    edged = np.pad(grid.distance, ((0, 0), (1, 1), (1, 1)), constant_values=UNREACHABLE)
    stands = np.pad(grid.fixture, 1, constant_values=-1)
    height, width = grid.terrain.shape
    here = (slice(1 + dy, 1 + dy + height), slice(1 + dx, 1 + dx + width))
    obstacle = stands[here]
    own = np.arange(len(grid.distance))[:, None, None]
    closer = edged[:, *here] < grid.distance
    leads: npt.NDArray[np.bool_] = closer & ((obstacle < 0) | (obstacle == own))
    return leads
