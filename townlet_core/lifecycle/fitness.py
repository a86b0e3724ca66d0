"""Fitness: the agent fitness index, one figure in 0..1 for how well a citizen lives."""

from townlet_core.kernels import kernel
from townlet_core.world.employment import attendance_ratio
from townlet_core.world.state import NOBODY

SECURE_DAYS = 2.0
"""Days of rent in the wallet from which on one is without worries."""


@kernel
def solvency(scalars, agent):  # type: ignore[no-untyped-def]
    """Return how many of the two next rents an agent could pay, as a share."""
    secure = SECURE_DAYS * scalars.rent
    return 1.0 if agent.wallet >= secure else agent.wallet / secure


@kernel
def fitness(rules, agent, tick):  # type: ignore[no-untyped-def]
    """Return the agent fitness index, 0..1: the mean of three shares.

    These are the share of its life in which all needs were looked after, its attendance of late (0 without a job), and
    its solvency.
    """
    lived = max(tick - agent.arrived_at, 1)
    attendance = attendance_ratio(rules, agent) if agent.employed else 0.0
    return (agent.satisfied_life / lived + attendance + solvency(rules.scalars[0], agent)) / 3.0


@kernel
def fittest(town, rules):  # type: ignore[no-untyped-def]
    """Return the living agent of the highest index who has been here for a day; the lower number of equals."""
    best, highest, tick = NOBODY, -1.0, town.common.tick
    for i in range(town.agents.shape[0]):
        agent = town.agents[i]
        if not agent.alive or tick - agent.arrived_at < rules.scalars[0].day:
            continue
        index = fitness(rules, agent, tick)
        if index > highest:
            best, highest = i, index
    return best
