"""Clothes: they wear out night by night, and shopping turns to new ones when they are worn."""

from townlet_core.kernels import kernel


@kernel
def is_worn(scalars, agent):  # type: ignore[no-untyped-def]
    """Say whether an agent's clothes are so worn that they make life harder."""
    return scalars.clothes_matter and agent.clothes < scalars.worn_below


@kernel
def wear_clothes(town, rules):  # type: ignore[no-untyped-def]
    """Take a night's wear off everybody's clothes."""
    scalars = rules.scalars[0]
    if not scalars.clothes_matter:
        return
    for i in range(town.agents.shape[0]):
        town.agents[i].clothes = max(town.agents[i].clothes - scalars.clothes_wear, 0.0)


@kernel
def mend(scalars, agent, gain):  # type: ignore[no-untyped-def]
    """Better the condition of an agent's clothes; nobody's are better than new."""
    if scalars.clothes_matter:
        agent.clothes = min(agent.clothes + gain, 1.0)


@kernel
def is_wanted(scalars, agent, rule):  # type: ignore[no-untyped-def]
    """Say whether an agent would buy this now: clothes when its own are worn and food is in the house, else food.

    Uses that bring neither clothes alone nor ingredients are always welcome. Where clothes do not matter, nobody buys
    any.
    """
    for_clothes = is_worn(scalars, agent) and agent.ingredients > 0
    if rule.for_clothes:
        return for_clothes
    return rule.gives_ingredients == 0 or not for_clothes
