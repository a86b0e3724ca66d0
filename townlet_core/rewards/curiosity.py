"""Curiosity: a bonus for steps in parts of town where one has seldom been.

The town is divided into squares of four tiles a side; each agent counts its steps in each of them, and a step is
worth the configured weight over the root of that count (Strehl and Littman, 2008). Where curiosity is off there are no
counts.
"""

import math

from townlet_core.kernels import kernel
from townlet_core.world.events import Event
from townlet_core.world.rules import NO_SHOP, WORKPLACE_CODE
from townlet_core.world.state import SQUARE

FINISH = int(Event.AFFORDANCE_FINISH)
AT_HOME, HAS_SHOPPED, HAS_WORKED = 0, 1, 2
"""Milestones of a life: the beginning, the first purchase, the first finished stretch of work."""
COUNT_LIMIT = 65535


@kernel
def _reach(agent, affordance):  # type: ignore[no-untyped-def]
    if affordance.type == WORKPLACE_CODE:
        agent.milestone = HAS_WORKED
    elif affordance.shop != NO_SHOP:
        agent.milestone = max(agent.milestone, HAS_SHOPPED)


@kernel
def note_milestones(town, rules):  # type: ignore[no-untyped-def]
    """Let whoever bought something or finished a stretch of work in this tick reach its milestone."""
    if town.visits.shape[1] == 0:
        return
    for e in range(town.common.event_count):
        row = town.log[e]
        if row.kind == FINISH:
            _reach(town.agents[row.subject], rules.affordances[row.other])


@kernel
def novelty(town, rules, i):  # type: ignore[no-untyped-def]
    """Count the step that agent ``i`` took in this tick, if any, and return what its novelty is worth."""
    agent, scalars = town.agents[i], rules.scalars[0]
    if town.visits.shape[1] == 0 or agent.moved_at != town.common.tick:
        return 0.0
    columns = (rules.terrain.shape[1] + SQUARE - 1) // SQUARE
    square = agent.y // SQUARE * columns + agent.x // SQUARE
    count = min(int(town.visits[i, square]) + 1, COUNT_LIMIT)
    town.visits[i, square] = count
    eagerness = 1.0 - scalars.curiosity_decay * agent.milestone
    return scalars.curiosity_weight * eagerness / math.sqrt(count)


@kernel
def forget_places(town, i):  # type: ignore[no-untyped-def]
    """Let whoever comes after agent ``i`` know no place and have reached nothing."""
    town.agents[i].milestone = AT_HOME
    for square in range(town.visits.shape[1]):
        town.visits[i, square] = 0
