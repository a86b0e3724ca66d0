"""The teacher where agents are controlled step by step: it walks, asks, starts and talks as the options would."""

from townlet_core.agents.company import find_company
from townlet_core.agents.options import IDLE, REQUEST_DISTANCE, SOCIALISE
from townlet_core.agents.primitives import CHAT, FIRST_MOVE, FIRST_REQUEST, RELEASE, START, WAIT, neighbour
from townlet_core.kernels import kernel
from townlet_core.world.affordances import best_target
from townlet_core.world.grid import STEPS
from townlet_core.world.movement import may_step
from townlet_core.world.state import FREE, NOBODY, USING
from townlet_core.world.ways import leads_to

NO_STEP = -1


@kernel
def _is_free(town, agent, d):  # type: ignore[no-untyped-def]
    return town.occupancy[agent.y + STEPS[d, 0], agent.x + STEPS[d, 1]] == NOBODY


@kernel
def way_towards(town, rules, i, target):  # type: ignore[no-untyped-def]
    """Return the direction of the step that leads to an object, a free tile before a taken one; -1 if none does."""
    agent, found = town.agents[i], NO_STEP
    for d in range(4):
        if not leads_to(rules.distance, rules.fixture_at, target, agent.y, agent.x, d) or not may_step(
            town, rules, i, d
        ):
            continue
        if _is_free(town, agent, d):
            return d
        if found == NO_STEP:
            found = d
    return found


@kernel
def way_off(town, rules, i):  # type: ignore[no-untyped-def]
    """Return the direction in which to leave the tile of an object that one does not use; -1 if there is none."""
    agent = town.agents[i]
    if rules.fixture_at[agent.y, agent.x] < 0:
        return NO_STEP
    for d in range(4):
        if may_step(town, rules, i, d) and rules.fixture_at[agent.y + STEPS[d, 0], agent.x + STEPS[d, 1]] < 0:
            return d
    return NO_STEP


@kernel
def way_to_person(town, rules, i, other):  # type: ignore[no-untyped-def]
    """Return the direction of a step straight towards somebody, onto a free tile; -1 if there is none."""
    agent = town.agents[i]
    away_y, away_x = int(other.y) - int(agent.y), int(other.x) - int(agent.x)
    for d in range(4):
        closer = STEPS[d, 0] * away_y + STEPS[d, 1] * away_x > 0
        if closer and may_step(town, rules, i, d) and _is_free(town, agent, d):
            return d
    return NO_STEP


@kernel
def _move(d):  # type: ignore[no-untyped-def]
    return WAIT if d == NO_STEP else FIRST_MOVE + d


@kernel
def _see_through(town, rules, i):  # type: ignore[no-untyped-def]
    """Go on with a reservation, or a place in a queue: come near, stand there, start."""
    agent = town.agents[i]
    steps = rules.distance[agent.target, agent.y, agent.x]
    if agent.holds and steps == 0:
        return START
    if agent.holds or steps > 1:
        return _move(way_towards(town, rules, i, agent.target))
    return _move(way_off(town, rules, i))


@kernel
def _meet(town, rules, i):  # type: ignore[no-untyped-def]
    if neighbour(town, rules, i) >= 0:
        return CHAT
    partner, _ = find_company(town, rules, i)
    return WAIT if partner < 0 else _move(way_to_person(town, rules, i, town.agents[partner]))


@kernel
def step_for(town, rules, i, option):  # type: ignore[no-untyped-def]
    """Return the primitive with which agent ``i`` gets nearer to what an option is for.

    Args:
        town: The town.
        rules: Its rules.
        i: The agent.
        option: What it wants now.
    """
    agent = town.agents[i]
    if agent.phase == USING or agent.meeting:
        return WAIT
    if agent.phase != FREE:
        desperate = min(agent.needs[0], agent.needs[1], agent.needs[2]) < rules.scalars[0].hard_need
        return RELEASE if desperate and option != agent.option else _see_through(town, rules, i)
    if option == IDLE:
        return _move(way_off(town, rules, i))
    if option == SOCIALISE:
        return _meet(town, rules, i)
    target, _, _ = best_target(town, rules, i, option)
    if target < 0:
        return WAIT
    if rules.distance[target, agent.y, agent.x] <= REQUEST_DISTANCE:
        return FIRST_REQUEST + option - 1
    return _move(way_towards(town, rules, i, target))
