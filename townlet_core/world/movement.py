"""Walking: one tile a tick along a distance field, never through walls or one another."""

import numpy as np

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.grid import STEPS, WALL
from townlet_core.world.neighbours import enter_block, leave_block, same_block
from townlet_core.world.state import NOBODY, USING
from townlet_core.world.weather import held_up

GHOST_STEP = int(Event.GHOST_STEP)
STANDING, BUSY = np.uint32(128), np.uint32(255)
RESERVED, IN_USE = np.uint32(128), np.uint32(255)
_AGENT_SHIFT, _RESERVATION_SHIFT = np.uint32(16), np.uint32(24)
_AGENT_MASK, _RESERVATION_MASK = np.uint32(0xFF00FFFF), np.uint32(0x00FFFFFF)
_NOTHING = np.uint32(0)


@kernel
def show_agent(town, rules, y, x, value):  # type: ignore[no-untyped-def]
    """Write the agent channel of the packed map at a tile."""
    margin = rules.scalars[0].window // 2
    cell = town.cells[y + margin, x + margin]
    town.cells[y + margin, x + margin] = (cell & _AGENT_MASK) | (value << _AGENT_SHIFT)


@kernel
def show_reservation(town, rules, f):  # type: ignore[no-untyped-def]
    """Write the reservation channel of an object's tile: free, reserved or in use."""
    margin = rules.scalars[0].window // 2
    rule, user = rules.fixtures[f], town.fixtures[f].user
    value = _NOTHING
    if user >= 0:
        value = IN_USE if town.agents[user].phase == USING else RESERVED
    cell = town.cells[rule.y + margin, rule.x + margin]
    town.cells[rule.y + margin, rule.x + margin] = (cell & _RESERVATION_MASK) | (value << _RESERVATION_SHIFT)


@kernel
def _stand(town, rules, i, y, x):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    agent.y, agent.x = y, x
    agent.moved_at = town.common.tick
    town.occupancy[y, x] = i
    show_agent(town, rules, y, x, STANDING)


@kernel
def _vacate(town, rules, i):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    town.occupancy[agent.y, agent.x] = NOBODY
    show_agent(town, rules, agent.y, agent.x, _NOTHING)


@kernel
def place(town, rules, i, y, x):  # type: ignore[no-untyped-def]
    """Put agent ``i`` on a tile that is free."""
    _stand(town, rules, i, y, x)
    enter_block(town.agents, town.blocks, i)


@kernel
def lift(town, rules, i):  # type: ignore[no-untyped-def]
    """Take agent ``i`` off the map."""
    leave_block(town.agents, town.blocks, i)
    _vacate(town, rules, i)


@kernel
def _move(town, rules, i, y, x):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    leaves = not same_block(agent, y, x)
    if leaves:
        leave_block(town.agents, town.blocks, i)
    _vacate(town, rules, i)
    _stand(town, rules, i, y, x)
    if leaves:
        enter_block(town.agents, town.blocks, i)
    agent.blocked = 0


@kernel
def _ghost_step(town, rules, i, blocker):  # type: ignore[no-untyped-def]
    """Exchange places with whoever has been in the way for too long; nobody who uses an object is moved."""
    mine, other = town.agents[i], town.agents[blocker]
    y, x, oy, ox = mine.y, mine.x, other.y, other.x
    lift(town, rules, i)
    lift(town, rules, blocker)
    place(town, rules, i, oy, ox)
    place(town, rules, blocker, y, x)
    mine.blocked = 0
    other.blocked = 0
    mine.conflicts += 1
    other.conflicts += 1
    emit(town.common, town.log, GHOST_STEP, i, -1, blocker, 0.0)


@kernel
def _wait_or_pass(town, rules, i, blocker):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    agent.blocked += 1
    after = rules.scalars[0].ghost_step_after
    if blocker < 0 or after == 0 or agent.blocked <= after:
        return
    other = town.agents[blocker]
    if other.phase != USING and other.moved_at != town.common.tick:
        _ghost_step(town, rules, i, blocker)


@kernel
def _may_enter(rules, agent, y, x, goal):  # type: ignore[no-untyped-def]
    """Only the holder of an object's reservation may enter its tile."""
    there = rules.fixture_at[y, x]
    return there < 0 or (there == goal and agent.holds)


@kernel
def walk_towards(town, rules, i, goal):  # type: ignore[no-untyped-def]
    """Take one step down the distance field of object ``goal``; blocked for too long, pass the blocker."""
    agent = town.agents[i]
    if agent.moved_at == town.common.tick or held_up(town, rules, i):
        return
    field = rules.distance[goal]
    here, blocker = field[agent.y, agent.x], NOBODY
    for turn in range(4):
        k = (turn + i + town.common.tick) & 3
        y, x = agent.y + STEPS[k, 0], agent.x + STEPS[k, 1]
        if field[y, x] >= here or not _may_enter(rules, agent, y, x, goal):
            continue
        if town.occupancy[y, x] == NOBODY:
            _move(town, rules, i, y, x)
            return
        blocker = town.occupancy[y, x]
    _wait_or_pass(town, rules, i, blocker)


@kernel
def may_step(town, rules, i, d):  # type: ignore[no-untyped-def]
    """Say whether agent ``i`` may try the step in direction ``d``: north, east, south, west.

    Walls and the objects that it does not hold stop it. Somebody in the way can be pushed past in the end, unless they
    use what they stand on.
    """
    agent = town.agents[i]
    y, x = agent.y + STEPS[d, 0], agent.x + STEPS[d, 1]
    if y < 0 or x < 0 or y >= rules.terrain.shape[0] or x >= rules.terrain.shape[1]:
        return False
    if rules.terrain[y, x] == WALL or not _may_enter(rules, agent, y, x, agent.target):
        return False
    other = town.occupancy[y, x]
    return other == NOBODY or (rules.scalars[0].ghost_step_after > 0 and town.agents[other].phase != USING)


@kernel
def step_by(town, rules, i, d):  # type: ignore[no-untyped-def]
    """Take the step in direction ``d``, if the weather allows; blocked by somebody for too long, pass them."""
    agent = town.agents[i]
    if agent.moved_at == town.common.tick or held_up(town, rules, i) or not may_step(town, rules, i, d):
        return
    y, x = agent.y + STEPS[d, 0], agent.x + STEPS[d, 1]
    if town.occupancy[y, x] == NOBODY:
        _move(town, rules, i, y, x)
    else:
        _wait_or_pass(town, rules, i, town.occupancy[y, x])


@kernel
def step_aside(town, rules, i):  # type: ignore[no-untyped-def]
    """Leave the tile of an object that one no longer uses."""
    agent = town.agents[i]
    if rules.fixture_at[agent.y, agent.x] < 0 or agent.moved_at == town.common.tick:
        return
    blocker = NOBODY
    for turn in range(4):
        k = (turn + i + town.common.tick) & 3
        y, x = agent.y + STEPS[k, 0], agent.x + STEPS[k, 1]
        if rules.terrain[y, x] == WALL or rules.fixture_at[y, x] >= 0:
            continue
        if town.occupancy[y, x] == NOBODY:
            _move(town, rules, i, y, x)
            return
        blocker = town.occupancy[y, x]
    _wait_or_pass(town, rules, i, blocker)


@kernel
def _gets_closer(agent, y, x, goal_y, goal_x):  # type: ignore[no-untyped-def]
    before = abs(agent.y - goal_y) + abs(agent.x - goal_x)
    return abs(y - goal_y) + abs(x - goal_x) < before


@kernel
def step_to(town, rules, i, goal_y, goal_x):  # type: ignore[no-untyped-def]
    """Take one step straight towards a tile, as far as walls, objects, people and the weather allow."""
    agent = town.agents[i]
    if agent.moved_at == town.common.tick or held_up(town, rules, i):
        return
    for turn in range(4):
        k = (turn + i + town.common.tick) & 3
        y, x = agent.y + STEPS[k, 0], agent.x + STEPS[k, 1]
        free = rules.terrain[y, x] != WALL and rules.fixture_at[y, x] < 0 and town.occupancy[y, x] == NOBODY
        if free and _gets_closer(agent, y, x, goal_y, goal_x):
            _move(town, rules, i, y, x)
            return
