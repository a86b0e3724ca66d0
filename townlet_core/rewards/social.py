"""Social rewards: what company was worth, read from the events of the tick."""

from townlet_core.kernels import kernel
from townlet_core.world.events import Event
from townlet_core.world.ties import slot_of

CHAT_SUCCESS, CHAT_FAILURE = int(Event.CHAT_SUCCESS), int(Event.CHAT_FAILURE)
AVOIDANCE, GHOST_STEP = int(Event.AVOIDANCE), int(Event.GHOST_STEP)
C1, C2, C3 = 1, 2, 3


@kernel
def in_distress(scalars, agent):  # type: ignore[no-untyped-def]
    """Say whether a need is below the floor: company and discoveries are no comfort then, and are not rewarded."""
    return min(agent.needs[0], agent.needs[1], agent.needs[2]) < scalars.needs_floor


@kernel
def _enjoy(town, rules, i, j, quality):  # type: ignore[no-untyped-def]
    """Reward ``i`` for a good talk: quality x (base + trust + familiarity, weighted)."""
    agent, scalars, k = town.agents[i], rules.scalars[0], slot_of(town.ties, i, j)
    if in_distress(scalars, agent):
        return
    warmth = 1.0
    if k >= 0:
        warmth += scalars.coeff_trust * town.ties[i, k].trust
        warmth += scalars.coeff_familiarity * town.ties[i, k].familiarity
    agent.social_signal += scalars.chat_base * warmth * quality


@kernel
def _reward_event(town, rules, kind, i, j, value):  # type: ignore[no-untyped-def]
    scalars = rules.scalars[0]
    if kind == CHAT_SUCCESS:
        _enjoy(town, rules, i, j, value)
        _enjoy(town, rules, j, i, value)
    elif kind == CHAT_FAILURE:
        town.agents[i].social_signal -= 0.5 * scalars.chat_base
        town.agents[j].social_signal -= 0.25 * scalars.chat_base
    elif kind == AVOIDANCE and scalars.social_stage >= C2 and not in_distress(scalars, town.agents[i]):
        town.agents[i].social_signal += scalars.avoid_reward
    elif kind == GHOST_STEP and scalars.social_stage >= C3:
        town.agents[i].social_signal -= scalars.quarrel_cost


@kernel
def value_company(town, rules):  # type: ignore[no-untyped-def]
    """Set everybody's social signal of this tick from the tick's events; ties are already up to date."""
    for i in range(town.agents.shape[0]):
        town.agents[i].social_signal = 0.0
    if rules.scalars[0].social_stage < C1 or town.ties.shape[1] == 0:
        return
    for e in range(town.common.event_count):
        row = town.log[e]
        _reward_event(town, rules, row.kind, row.subject, row.other, row.value)
