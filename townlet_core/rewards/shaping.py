"""Potential-based shaping: a state that promises more is worth more at once, without changing what is best.

The reward ``gamma * potential(after) - potential(before)`` adds up, discounted by the same gamma, to the potential at
the end less the one at the beginning, whatever was done in between; a life that ends has no potential. It therefore
moves reward in time and changes no policy's rank (Ng, Harada and Russell, 1999).
"""

from townlet_core.kernels import kernel

COMFORTABLE = 20.0
"""Coins from which on more savings promise nothing more."""


@kernel
def potential(scalars, agent):  # type: ignore[no-untyped-def]
    """Return what an agent's state promises: its needs by their weights, and its savings."""
    total, weights = 0.0, 0.0
    for k in range(3):
        total += scalars.need_weight[k] * agent.needs[k]
        weights += scalars.need_weight[k]
    savings = min(agent.wallet, COMFORTABLE) / COMFORTABLE
    return scalars.shaping_needs * total / weights + scalars.shaping_savings * savings


@kernel
def note_potentials(town, rules):  # type: ignore[no-untyped-def]
    """Remember, before anything happens in a tick, what everybody's state promises."""
    if not rules.scalars[0].use_potential:
        return
    for i in range(town.agents.shape[0]):
        town.agents[i].potential = potential(rules.scalars[0], town.agents[i])


@kernel
def shaping_reward(scalars, agent, terminated):  # type: ignore[no-untyped-def]
    """Return gamma times the potential after a tick, none where the life has ended, less the one before it."""
    if not scalars.use_potential:
        return 0.0
    after = 0.0 if terminated else potential(scalars, agent)
    return scalars.shaping_gamma * after - agent.potential
