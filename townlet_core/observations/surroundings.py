"""Surroundings: what an agent perceives of weather, prices, city events and its own clothes, where a town has them.

Each block is written only where the configuration switches it on, in the order of ``blocks.BLOCKS``.
"""

from townlet_core.config.options import Option
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.city import in_city_event
from townlet_core.world.prices import relative_price

EAT_OUT, SHOP = int(Option.EAT_OUT), int(Option.SHOP)
WEATHERS = len(WEATHER_NAMES)
DEAREST = 3.0
"""Times the base price at which the price features end."""


@kernel
def price_index(common, scalars):  # type: ignore[no-untyped-def]
    """Return the mean over all price keys of the price in force in units of the base price; 1 without prices."""
    total, count = 0.0, 0
    for key in range(common.prices.shape[0]):
        if scalars.prices[key] > 0.0:
            total += common.prices[key] / scalars.prices[key]
            count += 1
    return total / count if count > 0 else 1.0


@kernel
def option_price(town, rules, option):  # type: ignore[no-untyped-def]
    """Return the relative price of the first thing but clothes that one pays for in an option; 1 if there is none."""
    for k in range(rules.serving.shape[1]):
        a = rules.serving[option, k]
        if a >= 0 and rules.affordances[a].price_key >= 0 and not rules.affordances[a].for_clothes:
            return relative_price(town.common.prices, rules.affordances[a])
    return 1.0


@kernel
def write_surroundings(town, rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the blocks that are on from position ``k``; returns the position after them."""
    common, scalars = town.common, rules.scalars[0]
    if scalars.weather_interval > 0:
        for kind in range(WEATHERS):
            out[k + kind] = 1.0 if common.weather == kind else 0.0
        k += WEATHERS
    if scalars.prices_vary:
        out[k] = min(price_index(common, scalars), DEAREST) / DEAREST
        out[k + 1] = min(option_price(town, rules, EAT_OUT), DEAREST) / DEAREST
        out[k + 2] = min(option_price(town, rules, SHOP), DEAREST) / DEAREST
        k += 3
    if rules.perturbations.shape[0] > 0:
        out[k] = 1.0 if in_city_event(town) else 0.0
        out[k + 1] = 1.0 if agent.meeting > 0 else 0.0
        k += 2
    if scalars.clothes_matter:
        out[k] = agent.clothes
        k += 1
    return k
