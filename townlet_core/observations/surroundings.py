"""Surroundings: what an agent perceives of weather, prices, city events and its own clothes, where a town has them.

Each block is written only where the configuration switches it on, in the order of ``blocks.BLOCKS``.
"""

from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.kernels import kernel
from townlet_core.world.city import in_city_event

WEATHERS = len(WEATHER_NAMES)
DEAREST = 3.0
"""Times the base price at which the price features end."""


@kernel
def _write_dearness(common, out, k):  # type: ignore[no-untyped-def]
    out[k] = min(common.price_index, DEAREST) / DEAREST
    out[k + 1] = min(common.eat_out_price, DEAREST) / DEAREST
    out[k + 2] = min(common.shop_price, DEAREST) / DEAREST
    return k + 3


@kernel
def write_surroundings(town, rules, agent, out, k):  # type: ignore[no-untyped-def]
    """Write the blocks that are on from position ``k``; returns the position after them."""
    common, scalars = town.common, rules.scalars[0]
    if scalars.weather_interval > 0:
        for kind in range(WEATHERS):
            out[k + kind] = 1.0 if common.weather == kind else 0.0
        k += WEATHERS
    if scalars.prices_vary:
        k = _write_dearness(common, out, k)
    if rules.perturbations.shape[0] > 0:
        out[k] = 1.0 if in_city_event(town) else 0.0
        out[k + 1] = 1.0 if agent.meeting > 0 else 0.0
        k += 2
    if scalars.clothes_matter:
        out[k] = agent.clothes
        k += 1
    return k
