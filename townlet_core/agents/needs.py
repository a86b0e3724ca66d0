"""Needs: how hunger, hygiene and energy run down."""

from townlet_core.kernels import kernel
from townlet_core.world.clothes import is_worn
from townlet_core.world.state import HYGIENE, USING


@kernel
def is_asleep(rules, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent is using something that one sleeps in."""
    return agent.phase == USING and rules.affordances[agent.affordance].asleep != 0


@kernel
def decay_needs(rules, agent, haste):  # type: ignore[no-untyped-def]
    """Lower the needs by one tick's decay, less while asleep, ``haste`` times as much; hygiene more in worn clothes.

    Returns:
        True when a need fell below the hard threshold with this tick.
    """
    scalars = rules.scalars[0]
    factor = haste * (scalars.asleep_factor if is_asleep(rules, agent) else 1.0)
    grime = scalars.worn_hygiene if is_worn(scalars, agent) else 1.0
    hard = False
    for k in range(3):
        before = agent.needs[k]
        loss = scalars.decay[k] * factor * (grime if k == HYGIENE else 1.0)
        agent.needs[k] = max(before - loss, 0.0)
        hard |= before >= scalars.hard_need and agent.needs[k] < scalars.hard_need
    return hard
