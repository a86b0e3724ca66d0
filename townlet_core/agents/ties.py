"""Ties: how what happens between two agents changes what they feel.

Ties are a function of the event log alone: after the tick's deeds are done, each event between two agents moves both
sides' trust, familiarity and rivalry by the table below, bent by personality; then everything fades a little.
"""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event, emit
from townlet_core.world.queues import patience_of
from townlet_core.world.state import AMBITION, EXTROVERSION, FORGIVENESS, NOBODY
from townlet_core.world.ties import slot_of

HANDOVER, SHARED_MEAL = int(Event.HANDOVER), int(Event.SHARED_MEAL)
GHOST_STEP, QUEUE_LEAVE = int(Event.GHOST_STEP), int(Event.QUEUE_LEAVE)
FINISH, HELPED, TOOK_SHIFT = int(Event.AFFORDANCE_FINISH), int(Event.HELPED_WHEN_LATE), int(Event.TOOK_SHIFT)
CHAT_SUCCESS, CHAT_FAILURE = int(Event.CHAT_SUCCESS), int(Event.CHAT_FAILURE)
TIE_FORMED, TIE_LOST = int(Event.TIE_FORMED), int(Event.TIE_LOST)

LEAST_INTENSE, MOST_INTENSE = 0.1, 5.0
NOTHING = (0.0, 0.0, 0.0)


@kernel
def effect_of(kind, quality, conflict):  # type: ignore[no-untyped-def]
    """Return what an event does to a tie as (trust, familiarity, rivalry); nothing for events that move no tie.

    ``quality`` is that of a chat, ``conflict`` the rivalry that a conflict makes.
    """
    if kind == HANDOVER:
        return 0.05, 0.05, -0.05
    if kind == SHARED_MEAL:
        return 0.10, 0.25, 0.0
    if kind == HELPED:
        return 0.20, 0.10, -0.10
    if kind == TOOK_SHIFT:
        return -0.10, 0.0, 0.30
    if kind == CHAT_SUCCESS:
        return 0.05 * quality, 0.10 * quality, 0.0
    if kind == CHAT_FAILURE:
        return 0.0, -0.05, 0.05
    if kind in (GHOST_STEP, QUEUE_LEAVE):
        return 0.0, 0.0, conflict
    return NOTHING


@kernel
def rivalry_of(town, scalars, row):  # type: ignore[no-untyped-def]
    """Return how much rivalry an event makes: passing somebody, and leaving a queue in impatience, are conflicts."""
    if row.kind == GHOST_STEP:
        intensity = scalars.ghost_boost
    elif row.kind == QUEUE_LEAVE and row.value > patience_of(scalars, town.agents[row.subject]):
        intensity = 1.0 + scalars.queue_boost * town.fixtures[row.object].waiting
    else:
        return 0.0
    return scalars.conflict_rivalry * min(max(intensity, LEAST_INTENSE), MOST_INTENSE)


@kernel
def _handed_over(log, e):  # type: ignore[no-untyped-def]
    """Say whether a handover follows a completed use, whose row is then the one before, and is no accident."""
    if e == 0 or log[e - 1].kind != FINISH:
        return False
    return log[e - 1].subject == log[e].subject and log[e - 1].object == log[e].object


@kernel
def strength(trust, familiarity, rivalry):  # type: ignore[no-untyped-def]
    """Return how much a tie means, for better or worse."""
    return abs(trust) + abs(familiarity) + rivalry


@kernel
def _admit(town, i, j, meaning):  # type: ignore[no-untyped-def]
    """Return a slot for a new tie of ``i`` to ``j``; a full list gives up its weakest tie for a stronger one."""
    weakest, least = -1, meaning
    for k in range(town.ties.shape[1]):
        tie = town.ties[i, k]
        if tie.other == NOBODY:
            weakest = k
            break
        if strength(tie.trust, tie.familiarity, tie.rivalry) < least:
            weakest, least = k, strength(tie.trust, tie.familiarity, tie.rivalry)
    if weakest >= 0:
        forget(town, i, weakest)
        town.ties[i, weakest].other = j
        emit(town.common, town.log, TIE_FORMED, i, -1, j, meaning)
    return weakest


@kernel
def forget(town, i, k):  # type: ignore[no-untyped-def]
    """Empty a slot of agent ``i``."""
    tie = town.ties[i, k]
    if tie.other != NOBODY:
        emit(town.common, town.log, TIE_LOST, i, -1, tie.other, strength(tie.trust, tie.familiarity, tie.rivalry))
    tie.other = NOBODY
    tie.trust = 0.0
    tie.familiarity = 0.0
    tie.rivalry = 0.0


@kernel
def bend(agent, kind, trust, familiarity, rivalry):  # type: ignore[no-untyped-def]
    """Bend an event's effect by personality: the forgiving mind less, the outgoing warm up, the ambitious compete."""
    mildness = 1.0 - 0.5 * agent.personality[FORGIVENESS]
    trust = trust * mildness if trust < 0 else trust
    familiarity = familiarity * mildness if familiarity < 0 else familiarity
    if kind == CHAT_SUCCESS:
        familiarity += 0.02 * agent.personality[EXTROVERSION]
    if kind in (GHOST_STEP, QUEUE_LEAVE):
        rivalry *= 1.0 + 0.3 * agent.personality[AMBITION]
    return trust, familiarity, rivalry


@kernel
def change_tie(town, rules, i, j, kind, effect):  # type: ignore[no-untyped-def]
    """Move agent ``i``'s tie to ``j`` by an effect (trust, familiarity, rivalry), within bounds."""
    trust, familiarity, rivalry = effect
    if rules.scalars[0].personality_matters:
        trust, familiarity, rivalry = bend(town.agents[i], kind, trust, familiarity, rivalry)
    k = slot_of(town.ties, i, j)
    if k < 0:
        k = _admit(town, i, j, strength(trust, familiarity, max(rivalry, 0.0)))
    if k < 0:
        return
    tie = town.ties[i, k]
    tie.trust = min(max(tie.trust + trust, -1.0), 1.0)
    tie.familiarity = min(max(tie.familiarity + familiarity, -1.0), 1.0)
    tie.rivalry = min(max(tie.rivalry + rivalry, 0.0), 1.0)


@kernel
def _fade(value, loss):  # type: ignore[no-untyped-def]
    return max(value - loss, 0.0) if value > 0 else min(value + loss, 0.0)


@kernel
def fade_ties(town, rules):  # type: ignore[no-untyped-def]
    """Let every tie lose a tick's worth of feeling; what means next to nothing is forgotten."""
    scalars = rules.scalars[0]
    for i in range(town.agents.shape[0]):
        for k in range(town.ties.shape[1]):
            tie = town.ties[i, k]
            if tie.other == NOBODY:
                continue
            tie.trust = _fade(tie.trust, scalars.tie_fade[0])
            tie.familiarity = _fade(tie.familiarity, scalars.tie_fade[1])
            tie.rivalry = _fade(tie.rivalry, scalars.tie_fade[2])
            if max(abs(tie.trust), abs(tie.familiarity), tie.rivalry) < scalars.forget_below:
                forget(town, i, k)


@kernel
def update_ties(town, rules):  # type: ignore[no-untyped-def]
    """Apply this tick's events to the ties of both sides, then let all ties fade."""
    if town.ties.shape[1] == 0:
        return
    scalars = rules.scalars[0]
    for e in range(town.common.event_count):
        kind, i, j = town.log[e].kind, town.log[e].subject, town.log[e].other
        if i < 0 or j < 0 or i == j or (kind == HANDOVER and not _handed_over(town.log, e)):
            continue
        effect = effect_of(kind, town.log[e].value, rivalry_of(town, scalars, town.log[e]))
        if effect != NOTHING:
            change_tie(town, rules, i, j, kind, effect)
            change_tie(town, rules, j, i, kind, effect)
    fade_ties(town, rules)


@kernel
def dissolve_ties(town, i):  # type: ignore[no-untyped-def]
    """Forget agent ``i``, and let it forget everybody, when it leaves the town."""
    for k in range(town.ties.shape[1]):
        forget(town, i, k)
    for j in range(town.agents.shape[0]):
        k = slot_of(town.ties, j, i)
        if k >= 0:
            forget(town, j, k)
