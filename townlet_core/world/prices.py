"""Prices: what things cost now. Base x nightly moves x weather x whatever events do to them."""

from townlet_core.config.options import Option
from townlet_core.kernels import EVENTS, kernel, uniform_between
from townlet_core.world.state import EVENT_LASTING

EAT_OUT, SHOP = int(Option.EAT_OUT), int(Option.SHOP)


@kernel
def price_of(prices, rule):  # type: ignore[no-untyped-def]
    """Return what an affordance costs now, by the prices in force [keys]; uses without a price cost nothing."""
    return prices[rule.price_key] if rule.price_key >= 0 else 0.0


@kernel
def _price_index(common, scalars):  # type: ignore[no-untyped-def]
    total, count = 0.0, 0
    for key in range(common.prices.shape[0]):
        if scalars.prices[key] > 0.0:
            total += common.prices[key] / scalars.prices[key]
            count += 1
    return total / count if count > 0 else 1.0


@kernel
def _option_price(common, rules, option):  # type: ignore[no-untyped-def]
    """Return the price of the first thing but clothes that one pays for in an option, in units of its base price."""
    for k in range(rules.serving.shape[1]):
        a = rules.serving[option, k]
        if a < 0:
            break
        rule = rules.affordances[a]
        if rule.price_key >= 0 and rule.price > 0.0 and not rule.for_clothes:
            return common.prices[rule.price_key] / rule.price
    return 1.0


@kernel
def _spikes(common, specs, key):  # type: ignore[no-untyped-def]
    """Return by how much the events that last multiply a price; several multiply each other."""
    factor = 1.0
    for slot in range(common.event_phase.shape[0]):
        if common.event_phase[slot] == EVENT_LASTING and specs[common.event_spec[slot]].prices[key]:
            factor *= common.event_value[slot]
    return factor


@kernel
def set_prices(common, rules):  # type: ignore[no-untyped-def]
    """Put the prices in force, and what people see of them, after anything that decides them has changed."""
    scalars, specs = rules.scalars[0], rules.perturbations
    for key in range(common.prices.shape[0]):
        weather = scalars.weather_prices[common.weather, key]
        common.prices[key] = scalars.prices[key] * common.price_moves[key] * weather * _spikes(common, specs, key)
    common.price_index = _price_index(common, scalars)
    common.eat_out_price = _option_price(common, rules, EAT_OUT)
    common.shop_price = _option_price(common, rules, SHOP)


@kernel
def move_prices(town, rules):  # type: ignore[no-untyped-def]
    """Let every price factor wander for a night: a share back towards 1, a step of chance, within the bound."""
    common, scalars = town.common, rules.scalars[0]
    if scalars.move_max <= 0.0:
        return
    for key in range(common.prices.shape[0]):
        if scalars.prices[key] > 0.0:
            step = uniform_between(common.streams, EVENTS, -scalars.move_max, scalars.move_max)
            move = common.price_moves[key] + scalars.move_reversion * (1.0 - common.price_moves[key]) + step
            common.price_moves[key] = min(max(move, 1.0 - scalars.move_bound), 1.0 + scalars.move_bound)
    set_prices(common, rules)
