"""Where things are: the way to work, to the present target, and what each option would cost."""

import math

from townlet_core.agents.company import find_company
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.kernels import kernel
from townlet_core.world.affordances import best_target
from townlet_core.world.ways import leads_to

SOCIALISE = int(Option.SOCIALISE)
CHOICES = len(OPTION_NAMES) - 1


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
def write_choices(town, rules, i, out, k):  # type: ignore[no-untyped-def]
    """Write the choices block and, in towns that show them, the targets block behind it."""
    agent, shown, where = town.agents[i], rules.scalars[0].sees_targets, k + 2 * CHOICES
    for option in range(1, SOCIALISE):
        target, _, cost = best_target(town, rules, i, option)
        out[k] = 1.0 if target >= 0 else 0.0
        out[k + 1] = min(cost, 128) / 128.0
        if shown and target >= 0:
            _write_offset(rules, agent, rules.fixtures[target].y, rules.fixtures[target].x, out, where)
        elif shown:
            _write_nowhere(out, where)
        k += 2
        where += 2
    partner, tiles = find_company(town, rules, i)
    out[k] = 1.0 if partner >= 0 else 0.0
    out[k + 1] = min(tiles, 128) / 128.0
    if shown and partner >= 0:
        _write_offset(rules, agent, town.agents[partner].y, town.agents[partner].x, out, where)
    elif shown:
        _write_nowhere(out, where)
    return where + 2 if shown else k + 2
