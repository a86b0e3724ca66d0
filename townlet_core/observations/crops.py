"""Map crops: what lies around an agent, four uint8 channels to a uint32."""

import numpy as np

from townlet_core.config.options import OPTION_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.state import NOBODY

OWN_HOME, OWN_OBJECT = np.uint32(128 << 16), np.uint32(255 << 16)
_OWN_MASK, _AGENT_MASK = np.uint32(0xFF00FFFF), np.uint32(0x00FF0000)
_ACTIVITY_SHIFT = np.uint32(24)
_NOTHING = np.uint32(0)
OPTIONS = len(OPTION_NAMES)


@kernel
def _crop_near(town, rules, agent, out):  # type: ignore[no-untyped-def]
    # Unsigned, for numba then leaves out the test for negative indices; flat, so that a row is one copy.
    window, top, left = np.uintp(rules.scalars[0].window), np.uintp(agent.y), np.uintp(agent.x)
    for row in range(window):
        for column in range(window):
            out[row * window + column] = town.cells[top + row, left + column]


@kernel
def activity(agents, i):  # type: ignore[no-untyped-def]
    """Return what the activity channel shows where agent ``i`` stands: its option, 25 to 255 for ten options."""
    return np.uint32((int(agents[i].option) + 1) * 255 // OPTIONS)


@kernel
def _crop_far(town, rules, agent, home, out):  # type: ignore[no-untyped-def]
    """Copy both planes: the near one, and the way to the target, one's own home, and what others are doing."""
    window, top, left = np.uintp(rules.scalars[0].window), np.uintp(agent.y), np.uintp(agent.x)
    margin, bound, target = np.uintp(window // 2), agent.target >= 0, np.uintp(max(agent.target, 0))
    for row in range(window):
        for column in range(window):
            y, x = top + row, left + column
            near = town.cells[y, x]
            far = np.uint32(rules.ways[target, y, x]) if bound else _NOTHING
            if rules.homes[y, x] == home:
                far |= OWN_HOME
            if near & _AGENT_MASK:
                far |= activity(town.agents, town.occupancy[y - margin, x - margin]) << _ACTIVITY_SHIFT
            at = 2 * (row * window + column)
            out[at] = near
            out[at + 1] = far


@kernel
def _mark_own(rules, agent, f, out):  # type: ignore[no-untyped-def]
    """Mark object ``f`` as one's own if it lies in the window."""
    if f == NOBODY:
        return
    window, half = rules.scalars[0].window, rules.scalars[0].window // 2
    row, column = rules.fixtures[f].y - agent.y + half, rules.fixtures[f].x - agent.x + half
    if 0 <= row < window and 0 <= column < window:
        at = 2 * (row * window + column) + 1
        out[at] = (out[at] & _OWN_MASK) | OWN_OBJECT


@kernel
def write_map(town, rules, i, out):  # type: ignore[no-untyped-def]
    """Copy the tiles around agent ``i`` to ``out``, uint32 [w * w * planes]; nothing in a town without maps."""
    agent, planes = town.agents[i], rules.scalars[0].planes
    if planes == 1:
        _crop_near(town, rules, agent, out)
    elif planes == 2:
        citizen = rules.citizens[i]
        _crop_far(town, rules, agent, citizen.home, out)
        _mark_own(rules, agent, citizen.bed, out)
        _mark_own(rules, agent, citizen.fridge, out)
        _mark_own(rules, agent, citizen.workplace, out)
