"""Company: whom one meets, talks to, eats with and covers for."""

import numpy as np

from townlet_core.kernels import EVENTS, kernel, uniform
from townlet_core.world.clothes import is_worn
from townlet_core.world.employment import is_working
from townlet_core.world.events import Event, emit
from townlet_core.world.movement import step_to
from townlet_core.world.rules import SHARE_MEAL
from townlet_core.world.state import BLOCK_SHIFT, EXTROVERSION, NOBODY, USING
from townlet_core.world.ties import is_rival, slot_of

CHAT_SUCCESS, CHAT_FAILURE = int(Event.CHAT_SUCCESS), int(Event.CHAT_FAILURE)
SHARED_MEAL, HELPED, TOOK_SHIFT = int(Event.SHARED_MEAL), int(Event.HELPED_WHEN_LATE), int(Event.TOOK_SHIFT)
FINISH, START, LATE, ABSENT = (
    int(Event.AFFORDANCE_FINISH),
    int(Event.AFFORDANCE_START),
    int(Event.SHIFT_LATE_START),
    int(Event.SHIFT_ABSENT),
)
TABLE_DISTANCE = 3
"""Tiles within which two people who eat share their meal."""
SEARCH_TICKS = 30
"""Ticks after which one stops running after somebody."""
NOBODY_NEAR = 65535
REPELLED = -1e9


@kernel
def tiles_apart(a, b):  # type: ignore[no-untyped-def]
    """Return the Chebyshev distance between two agents."""
    return max(abs(a.y - b.y), abs(a.x - b.x))


@kernel
def _is_free_to_talk(other, tick):  # type: ignore[no-untyped-def]
    return other.alive and other.phase != USING and tick >= other.chat_ready_at


@kernel
def _appeal(ties, i, j, way, threshold):  # type: ignore[no-untyped-def]
    """Return how much ``i`` would like to talk to ``j``: liking less the way there; far below for a rival to avoid."""
    k = slot_of(ties, i, j)
    if k < 0:
        return -way
    tie = ties[i, k]
    if tie.rivalry >= threshold:
        return REPELLED
    return tie.trust + tie.familiarity - tie.rivalry - way


@kernel
def _attraction(agents, ties, i, j, tick, radius, threshold):  # type: ignore[no-untyped-def]
    """Return how much ``i`` would like to talk to ``j`` now and how many tiles away that is; far below if at all."""
    apart = tiles_apart(agents[i], agents[j])
    if j == i or apart > radius or not _is_free_to_talk(agents[j], tick):
        return REPELLED, apart
    return _appeal(ties, i, j, apart / radius, threshold), apart


@kernel
def nearest_company(agents, blocks, ties, i, tick, radius, threshold):  # type: ignore[no-untyped-def]
    """Find whom agent ``i`` would talk to: somebody near, free to talk, and liked rather than not.

    Where two are as attractive, it is the one with the lower number.

    Returns:
        (agent, tiles): (-1, 65535) where relationships are off, one is busy or has just talked, or nobody is near.
    """
    me = agents[i]
    best, highest, tiles = np.int64(NOBODY), REPELLED, NOBODY_NEAR
    if ties.shape[1] == 0 or me.phase == USING or tick < me.chat_ready_at:
        return best, tiles
    bottom = min((me.y + radius) >> BLOCK_SHIFT, blocks.shape[0] - 1)
    right = min((me.x + radius) >> BLOCK_SHIFT, blocks.shape[1] - 1)
    for row in range(max(me.y - radius, 0) >> BLOCK_SHIFT, bottom + 1):
        for column in range(max(me.x - radius, 0) >> BLOCK_SHIFT, right + 1):
            j = np.int64(blocks[row, column])
            while j >= 0:
                score, apart = _attraction(agents, ties, i, j, tick, radius, threshold)
                if score > highest or (score == highest and j < best):
                    best, highest, tiles = j, score, apart
                j = np.int64(agents[j].next_near)
    return best, tiles


@kernel
def find_company(town, rules, i):  # type: ignore[no-untyped-def]
    """Find the company of agent ``i`` now, as (agent, tiles); see ``nearest_company``."""
    scalars = rules.scalars[0]
    return nearest_company(
        town.agents, town.blocks, town.ties, i, town.common.tick, scalars.chat_radius, scalars.avoid_threshold
    )


@kernel
def chat_quality(town, i, j):  # type: ignore[no-untyped-def]
    """Return how good a talk of ``i`` with ``j`` is, 0.1..1: 0.5 + 0.3 extroversion + 0.2 trust + 0.1 familiarity."""
    quality, k = 0.5 + 0.3 * town.agents[i].personality[EXTROVERSION], slot_of(town.ties, i, j)
    if k >= 0:
        tie = town.ties[i, k]
        quality += 0.2 * tie.trust + 0.1 * tie.familiarity - 0.2 * tie.rivalry
    return min(max(quality, 0.1), 1.0)


@kernel
def chat_chance(town, rules, i, j):  # type: ignore[no-untyped-def]
    """Return the chance that a talk succeeds: success x (1 + 0.3 trust)(1 + 0.2 familiarity), within 0.05..0.98.

    In worn clothes ``i`` makes a worse impression.
    """
    chance, k = rules.scalars[0].chat_success, slot_of(town.ties, i, j)
    if is_worn(rules.scalars[0], town.agents[i]):
        chance *= rules.scalars[0].worn_chat
    if k >= 0:
        chance *= (1.0 + 0.3 * town.ties[i, k].trust) * (1.0 + 0.2 * town.ties[i, k].familiarity)
    return min(max(chance, 0.05), 0.98)


@kernel
def talk(town, rules, i, j):  # type: ignore[no-untyped-def]
    """Let ``i`` talk to ``j``, once. Returns whether it went well."""
    went_well = uniform(town.common.streams, EVENTS) < chat_chance(town, rules, i, j)
    quality = chat_quality(town, i, j)
    emit(town.common, town.log, CHAT_SUCCESS if went_well else CHAT_FAILURE, i, -1, j, quality)
    pause = town.common.tick + rules.scalars[0].chat_cooldown
    town.agents[i].chat_ready_at = pause
    town.agents[j].chat_ready_at = pause
    town.agents[i].chats += went_well
    town.agents[j].chats += went_well
    return went_well


@kernel
def seek_company(town, rules, i):  # type: ignore[no-untyped-def]
    """Do one tick of looking for the chosen partner.

    Returns:
        0 while it goes on, 1 after a good talk, -1 after a bad one or when the partner is out of reach.
    """
    me = town.agents[i]
    partner, tick = town.agents[me.partner], town.common.tick
    if me.option_ticks > SEARCH_TICKS or tick < me.chat_ready_at or not _is_free_to_talk(partner, tick):
        return -1
    if is_rival(town.ties, i, me.partner, rules.scalars[0].avoid_threshold):
        return -1
    if tiles_apart(me, partner) <= 1:
        return 1 if talk(town, rules, i, me.partner) else -1
    step_to(town, rules, i, partner.y, partner.x)
    return 0


@kernel
def _is_eating(town, rules, j):  # type: ignore[no-untyped-def]
    """Say whether agent ``j`` is at a meal that is shared."""
    agent = town.agents[j]
    if agent.phase != USING:
        return False
    rule = rules.affordances[agent.affordance]
    return ((rule.before | rule.after) & SHARE_MEAL) != 0


@kernel
def _is_shared(affordances, a, kind):  # type: ignore[no-untyped-def]
    """Say whether affordance ``a`` shares a meal when it begins, or when it is complete."""
    return ((affordances[a].before if kind == START else affordances[a].after) & SHARE_MEAL) != 0


@kernel
def _share_meal(town, rules, i):  # type: ignore[no-untyped-def]
    """Tell of everybody who eats within a few tiles of agent ``i``, tile by tile from north to south."""
    me, height, width = town.agents[i], town.occupancy.shape[0], town.occupancy.shape[1]
    for y in range(max(me.y - TABLE_DISTANCE, 0), min(me.y + TABLE_DISTANCE + 1, height)):
        for x in range(max(me.x - TABLE_DISTANCE, 0), min(me.x + TABLE_DISTANCE + 1, width)):
            j = np.int64(town.occupancy[y, x])
            if j >= 0 and j != i and _is_eating(town, rules, j):
                emit(town.common, town.log, SHARED_MEAL, i, me.target, j, 0.0)


@kernel
def _involve_colleagues(town, rules, i, kind):  # type: ignore[no-untyped-def]
    for j in range(town.agents.shape[0]):
        colleague = j != i and rules.citizens[j].job == rules.citizens[i].job
        if colleague and town.agents[j].alive and is_working(rules, town.agents[j]):
            emit(town.common, town.log, kind, i, rules.citizens[j].workplace, j, 0.0)


@kernel
def note_company(town, rules):  # type: ignore[no-untyped-def]
    """Add to the log what people were to each other this tick: shared meals, help for the late, shifts taken over."""
    if town.ties.shape[1] == 0:
        return
    for e in range(town.common.event_count):
        kind, i = town.log[e].kind, town.log[e].subject
        if kind in (START, FINISH):
            if _is_shared(rules.affordances, town.log[e].other, kind):
                _share_meal(town, rules, i)
        elif kind == LATE:
            _involve_colleagues(town, rules, i, HELPED)
        elif kind == ABSENT:
            _involve_colleagues(town, rules, i, TOOK_SHIFT)
