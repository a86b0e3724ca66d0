"""Where things are: the way to work, to the present target, and what each option would cost."""

import math

from townlet_core.agents.company import find_company
from townlet_core.agents.options import REQUEST_DISTANCE
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.config.primitives import PRIMITIVE_NAMES
from townlet_core.kernels import kernel
from townlet_core.observations.person import write_one_hot
from townlet_core.world.affordances import best_target
from townlet_core.world.ways import leads_to

SOCIALISE = int(Option.SOCIALISE)
CHOICES = len(OPTION_NAMES) - 1
PRIMITIVES = len(PRIMITIVE_NAMES)
PER_WAY = 5


@kernel
def write_job_direction(rules, i, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the unit vector to the workplace, the steps to it, and which steps lead there."""
    workplace = rules.citizens[i].workplace
    dy, dx = rules.fixtures[workplace].y - agent.y, rules.fixtures[workplace].x - agent.x
    length = max(math.sqrt(dy * dy + dx * dx), 1.0)
    out[k] = dy / length
    out[k + 1] = dx / length
    out[k + 2] = min(rules.distance[workplace, agent.y, agent.x], 128) / 128.0
    for d in range(4):
        out[k + 3 + d] = 1.0 if leads_to(rules, workplace, agent.y, agent.x, d) else 0.0
    return k + 7


@kernel
def write_hints(rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write which steps lead to the present target."""
    for d in range(4):
        bound = agent.target >= 0 and leads_to(rules, agent.target, agent.y, agent.x, d)
        out[k + d] = 1.0 if bound else 0.0
    return k + 4


@kernel
def _write_offset(rules, agent, y, x, out, k):  # type: ignore[no-untyped-def]
    out[k] = (y - agent.y) / rules.scalars[0].span
    out[k + 1] = (x - agent.x) / rules.scalars[0].span


@kernel
def _write_nowhere(out, k):  # type: ignore[no-untyped-def]
    out[k] = 0.0
    out[k + 1] = 0.0


@kernel
def _write_way(rules, agent, target, out, k):  # type: ignore[no-untyped-def]
    """Write whether an option's object is in reach, and which steps lead there."""
    known = target >= 0
    out[k] = 1.0 if known and rules.distance[target, agent.y, agent.x] <= REQUEST_DISTANCE else 0.0
    for d in range(4):
        out[k + 1 + d] = 1.0 if known and leads_to(rules, target, agent.y, agent.x, d) else 0.0


@kernel
def _write_company(town, rules, i, out, k, where):  # type: ignore[no-untyped-def]
    agent = town.agents[i]
    partner, tiles = find_company(town, rules, i)
    out[k] = 1.0 if partner >= 0 else 0.0
    out[k + 1] = min(tiles, 128) / 128.0
    if not rules.scalars[0].sees_targets:
        return
    if partner >= 0:
        _write_offset(rules, agent, town.agents[partner].y, town.agents[partner].x, out, where)
    else:
        _write_nowhere(out, where)


@kernel
def write_choices(town, rules, i, out, k):  # type: ignore[no-untyped-def]
    """Write the choices block and, in towns that have them, the targets and steps blocks behind it."""
    agent, scalars, where = town.agents[i], rules.scalars[0], k + 2 * CHOICES
    ways = where + (2 * CHOICES if scalars.sees_targets else 0)
    if scalars.primitives:
        ways = write_one_hot(out, ways, agent.last_action, PRIMITIVES)
    for option in range(1, SOCIALISE):
        target, _, cost = best_target(town, rules, i, option)
        out[k] = 1.0 if target >= 0 else 0.0
        out[k + 1] = min(cost, 128) / 128.0
        k += 2
        if scalars.sees_targets:
            if target >= 0:
                _write_offset(rules, agent, rules.fixtures[target].y, rules.fixtures[target].x, out, where)
            else:
                _write_nowhere(out, where)
            where += 2
        if scalars.primitives:
            _write_way(rules, agent, target, out, ways)
            ways += PER_WAY
    _write_company(town, rules, i, out, k, where)
    return ways
