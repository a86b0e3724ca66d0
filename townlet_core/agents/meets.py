"""Meets: what citizens do who are called together: they walk to the place, and there they keep each other company."""

from townlet_core.agents.company import talk
from townlet_core.kernels import kernel
from townlet_core.world.movement import walk_towards
from townlet_core.world.state import NOBODY

AT_THE_PLACE = 3
"""Steps from the place of a meeting within which one has arrived."""


@kernel
def has_arrived(rules, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent that is called to a meeting is at its place."""
    return rules.distance[agent.target, agent.y, agent.x] <= AT_THE_PLACE


@kernel
def _someone_to_talk_to(town, rules, i):  # type: ignore[no-untyped-def]
    """Return who of the same meeting is at the place too and has not just talked, or -1."""
    me, tick = town.agents[i], town.common.tick
    for j in range(town.agents.shape[0]):
        other = town.agents[j]
        if j != i and other.meeting == me.meeting and tick >= other.chat_ready_at and has_arrived(rules, other):
            return j
    return NOBODY


@kernel
def attend(town, rules, i):  # type: ignore[no-untyped-def]
    """Do one tick of a meeting: walk there, then talk to the others whenever both are ready, rivals included."""
    agent = town.agents[i]
    if not has_arrived(rules, agent):
        walk_towards(town, rules, i, agent.target)
        return
    if town.ties.shape[1] == 0 or town.common.tick < agent.chat_ready_at:
        return
    j = _someone_to_talk_to(town, rules, i)
    if j != NOBODY:
        talk(town, rules, i, j)
