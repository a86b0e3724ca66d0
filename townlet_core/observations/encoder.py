"""The observation kernel: writes one town's maps, features and action masks.

The order of what is written here is the order of ``layout.hybrid_layout``; a NumPy encoder checks it in the tests.
"""

import math

import numpy as np

from townlet_core.agents.company import find_company
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.kernels import kernel
from townlet_core.observations.social import write_social
from townlet_core.world.affordances import best_target
from townlet_core.world.employment import attendance_ratio, minute_of_day
from townlet_core.world.grid import STEPS
from townlet_core.world.rules import RELATIONSHIP_STAGES
from townlet_core.world.state import FREE, PHASE_NAMES, SHIFT_NAMES, USING

OPTIONS = len(OPTION_NAMES)
SOCIALISE = int(Option.SOCIALISE)
OBSERVED = RELATIONSHIP_STAGES.index("B")
SHIFTS = len(SHIFT_NAMES)
PHASES = len(PHASE_NAMES)


@kernel
def crop_map(town, rules, agent, out):  # type: ignore[no-untyped-def]
    """Copy the packed tiles around an agent to ``out``, uint32 [w, w]."""
    # Unsigned, for numba then leaves out the test for negative indices.
    window, top, left = np.uintp(rules.scalars[0].window), np.uintp(agent.y), np.uintp(agent.x)
    for row in range(window):
        for column in range(window):
            out[row, column] = town.cells[top + row, left + column]


@kernel
def _one_hot(out, k, index, size):  # type: ignore[no-untyped-def]
    for position in range(size):
        out[k + position] = 1.0 if position == index else 0.0
    return k + size


@kernel
def _write_body(town, rules, i, out, k):  # type: ignore[no-untyped-def]
    agent, fridge = town.agents[i], rules.citizens[i].fridge
    for need in range(3):
        out[k + need] = agent.needs[need]
    out[k + 3] = min(agent.wallet, 50.0) / 50.0
    out[k + 4] = min(agent.wallet, 5.0) / 5.0
    out[k + 5] = min(agent.ingredients, 16) / 16.0
    out[k + 6] = town.fixtures[fridge].stock / max(rules.fixtures[fridge].capacity, 1) if fridge >= 0 else 0.0
    out[k + 7] = town.common.utilities[0]
    out[k + 8] = town.common.utilities[1]
    return k + 9


@kernel
def _write_time(town, rules, i, sine, cosine, out, k):  # type: ignore[no-untyped-def]
    citizen, scalars = rules.citizens[i], rules.scalars[0]
    minute = minute_of_day(town, rules)
    until = citizen.shift_start - minute
    at_shift = citizen.shift_start <= minute < citizen.shift_end
    out[k] = sine
    out[k + 1] = cosine
    out[k + 2] = min(until, 120) / 120.0 if until > 0 else (0.0 if at_shift else 1.0)
    out[k + 3] = (minute - citizen.shift_start) / (citizen.shift_end - citizen.shift_start) if at_shift else 0.0
    out[k + 4] = (town.common.tick - scalars.start_tick) / scalars.episode_ticks
    return k + 5


@kernel
def _write_work(rules, agent, out, k):  # type: ignore[no-untyped-def]
    out[k] = min(agent.lateness, 60) / 60.0
    out[k + 1] = attendance_ratio(rules, agent)
    out[k + 2] = min(agent.wages_withheld, 10.0) / 10.0
    return _one_hot(out, k + 3, agent.shift_state, SHIFTS)


@kernel
def _write_option(rules, agent, i, out, k):  # type: ignore[no-untyped-def]
    k = _one_hot(out, k, agent.option, OPTIONS)
    k = _one_hot(out, k, agent.phase, PHASES)
    out[k] = min(agent.option_ticks, 180) / 180.0
    out[k + 1] = agent.progress / agent.duration if agent.phase == USING else 0.0
    out[k + 2] = agent.last_success
    out[k + 3] = min(agent.last_duration, 180) / 180.0
    out[k + 4] = agent.context_reset
    out[k + 5] = 1.0 if rules.fixture_at[agent.y, agent.x] >= 0 else 0.0
    out[k + 6] = 1.0 if rules.home_at[agent.y, agent.x] == rules.citizens[i].home else 0.0
    return k + 7


@kernel
def _write_hints(rules, agent, out, k):  # type: ignore[no-untyped-def]
    for d in range(4):
        out[k + d] = 0.0
        if agent.target >= 0:
            here = rules.distance[agent.target, agent.y, agent.x]
            there = rules.distance[agent.target, agent.y + STEPS[d, 0], agent.x + STEPS[d, 1]]
            out[k + d] = 1.0 if there < here else 0.0
    return k + 4


@kernel
def _write_choices(town, rules, i, mask, out, k):  # type: ignore[no-untyped-def]
    """Write what each option would cost now, and the action mask: a committed agent has one choice."""
    agent = town.agents[i]
    for option in range(1, SOCIALISE):
        target, _, cost = best_target(town, rules, i, option)
        out[k] = 1.0 if target >= 0 else 0.0
        out[k + 1] = min(cost, 128) / 128.0
        pursued = option == agent.option and agent.phase != FREE
        mask[option] = pursued if agent.committed else pursued or target >= 0
        k += 2
    partner, tiles = find_company(town, rules, i)
    out[k] = 1.0 if partner >= 0 else 0.0
    out[k + 1] = min(tiles, 128) / 128.0
    pursued = agent.option == SOCIALISE and agent.phase != FREE
    mask[SOCIALISE] = pursued if agent.committed else pursued or partner >= 0
    mask[0] = not agent.committed or agent.option == 0
    return k + 2


@kernel
def _write_absence(features, mask, map_out):  # type: ignore[no-untyped-def]
    features[:] = 0.0
    map_out[:] = 0
    mask[:] = False
    mask[0] = True


@kernel
def observe_town(town, rules, maps, features, masks):  # type: ignore[no-untyped-def]
    """Write the observations of one town.

    Args:
        town: The town.
        rules: Its rules.
        maps: uint32 [N, w, w], four uint8 channels packed.
        features: float32 [N, F].
        masks: bool [N, options].
    """
    angle = 2.0 * math.pi * minute_of_day(town, rules) / rules.scalars[0].day
    sine, cosine = math.sin(angle), math.cos(angle)
    for i in range(town.agents.shape[0]):
        agent, out = town.agents[i], features[i]
        if not agent.alive:
            _write_absence(out, masks[i], maps[i])
            continue
        crop_map(town, rules, agent, maps[i])
        k = _write_body(town, rules, i, out, 0)
        k = _write_time(town, rules, i, sine, cosine, out, k)
        k = _write_work(rules, agent, out, k)
        k = _write_option(rules, agent, i, out, k)
        k = _write_hints(rules, agent, out, k)
        k = _write_choices(town, rules, i, masks[i], out, k)
        if rules.scalars[0].relationship_stage >= OBSERVED:
            write_social(town, rules, i, out, k)
