"""Traits: what newcomers are like. A low-discrepancy sequence spreads personalities evenly, however few there are."""

from townlet_core.kernels import WORLD, kernel, uniform, uniform_between
from townlet_core.lifecycle.fitness import fittest
from townlet_core.world.state import NOBODY, TRAITS

BASES = (2, 3, 5, 7, 11)
"""One prime per trait: the bases of a Halton sequence (Halton, 1960)."""


@kernel
def radical_inverse(index, base):  # type: ignore[no-untyped-def]
    """Return the digits of ``index`` in ``base``, mirrored at the point: the Halton sequence, in [0, 1)."""
    value, share = 0.0, 1.0 / base
    while index > 0:
        value += index % base * share
        index //= base
        share /= base
    return value


@kernel
def draw_rotation(town, rules):  # type: ignore[no-untyped-def]
    """Draw how far this town's sequence is rotated (Cranley and Patterson, 1976), so that towns differ."""
    for k in range(TRAITS):
        if rules.scalars[0].traits[k]:
            town.common.trait_shift[k] = uniform(town.common.streams, WORLD)


@kernel
def _take_after(town, rules, i, model):  # type: ignore[no-untyped-def]
    noise = rules.scalars[0].elitism_noise
    for k in range(TRAITS):
        if rules.scalars[0].traits[k]:
            deviation = uniform_between(town.common.streams, WORLD, -noise, noise)
            town.agents[i].personality[k] = min(max(town.agents[model].personality[k] + deviation, 0.0), 1.0)


@kernel
def _follow_sequence(common, scalars, agent):  # type: ignore[no-untyped-def]
    for k in range(TRAITS):
        if scalars.traits[k]:
            value = radical_inverse(agent.person + 1, BASES[k]) + common.trait_shift[k]
            agent.personality[k] = value - 1.0 if value >= 1.0 else value


@kernel
def draw_personality(town, rules, i):  # type: ignore[no-untyped-def]
    """Give agent ``i`` its traits: the next point of the town's sequence, or those of the fittest, nearly."""
    elitism = rules.scalars[0].elitism
    if elitism > 0 and uniform(town.common.streams, WORLD) < elitism:
        model = fittest(town, rules)
        if model != NOBODY:
            _take_after(town, rules, i, model)
            return
    _follow_sequence(town.common, rules.scalars[0], town.agents[i])
