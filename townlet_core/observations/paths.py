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
def _write_steps(distance, fixture_at, agent, target, out, k):  # type: ignore[no-untyped-def]
    """Write which of the four steps lead to an object; none of them where there is none."""
    for d in range(4):
        leads = target >= 0 and leads_to(distance, fixture_at, target, agent.y, agent.x, d)
        out[k + d] = 1.0 if leads else 0.0


@kernel
def write_job_direction(rules, i, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the unit vector to the workplace, the steps to it, and which steps lead there."""
    workplace = rules.citizens[i].workplace
    dy, dx = rules.fixtures[workplace].y - agent.y, rules.fixtures[workplace].x - agent.x
    length = max(math.sqrt(dy * dy + dx * dx), 1.0)
    out[k] = dy / length
    out[k + 1] = dx / length
    out[k + 2] = min(rules.distance[workplace, agent.y, agent.x], 128) / 128.0
    _write_steps(rules.distance, rules.fixture_at, agent, workplace, out, k + 3)
    return k + 7


@kernel
def write_hints(rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write which steps lead to the present target."""
    _write_steps(rules.distance, rules.fixture_at, agent, agent.target, out, k)
    return k + 4


@kernel
def _write_offset(agent, y, x, span, out, k):  # type: ignore[no-untyped-def]
    out[k] = (y - agent.y) / span
    out[k + 1] = (x - agent.x) / span


@kernel
def _write_target(fixtures, agent, target, span, out, k):  # type: ignore[no-untyped-def]
    """Write the offset to an option's object; the agent's own tile where there is none."""
    if target >= 0:
        _write_offset(agent, fixtures[target].y, fixtures[target].x, span, out, k)
    else:
        _write_offset(agent, agent.y, agent.x, span, out, k)


@kernel
def _write_way(rules, agent, target, out, k):  # type: ignore[no-untyped-def]
    """Write whether an option's object is in reach, and which steps lead there."""
    near = target >= 0 and rules.distance[target, agent.y, agent.x] <= REQUEST_DISTANCE
    out[k] = 1.0 if near else 0.0
    _write_steps(rules.distance, rules.fixture_at, agent, target, out, k + 1)


@kernel
def _write_company(town, rules, i, out, k, where):  # type: ignore[no-untyped-def]
    partner, tiles = find_company(town, rules, i)
    out[k] = 1.0 if partner >= 0 else 0.0
    out[k + 1] = min(tiles, 128) / 128.0
    if rules.scalars[0].sees_targets:
        near = town.agents[partner if partner >= 0 else i]
        _write_offset(town.agents[i], near.y, near.x, rules.scalars[0].span, out, where)


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
            _write_target(rules.fixtures, agent, target, scalars.span, out, where)
            where += 2
        if scalars.primitives:
            _write_way(rules, agent, target, out, ways)
            ways += PER_WAY
    _write_company(town, rules, i, out, k, where)
    return ways
