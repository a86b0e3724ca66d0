"""The basket invariant: whoever works a day can pay for that day."""

from collections.abc import Iterator
from math import inf

from townlet_core.config.affordances import Affordance
from townlet_core.config.fields import NEED_NAMES
from townlet_core.config.manifest_checks import restores
from townlet_core.config.map_checks import Problem
from townlet_core.config.town import TownConfig


def basket_per_day(town: TownConfig) -> float:
    """Price of the cheapest way to restore in a day what every need loses in a waking day.

    For each need: decay per tick x ticks per day x the least price that any affordance asks for one unit
    of that need. A meal from the fridge costs the ingredients that cooking it takes.
    """
    rates: dict[str, float] = town.needs.decay_per_tick.model_dump()
    losses = {need: rates[need] * town.clock.ticks_per_day for need in NEED_NAMES if rates[need]}
    return sum(loss * _price_of_need(town, need) for need, loss in losses.items())


def day_slack(town: TownConfig) -> float:
    """Share by which the poorest job's daily wage exceeds rent and basket; negative when it does not pay for a day."""
    needed = town.economy.rent_per_day + basket_per_day(town)
    return _poorest(town)[1] / needed - 1.0 if needed else inf


def basket_problems(town: TownConfig) -> Iterator[Problem]:
    """Check that every need can be restored and that the poorest job pays rent and basket."""
    for need in NEED_NAMES:
        if _price_of_need(town, need) == inf:
            reason = f"nothing restores {need}; add an affordance with effects: {{{need}: ...}}"
            yield Problem(("affordances", "affordances"), reason)
            return
    job, wage = _poorest(town)
    rent, basket = town.economy.rent_per_day, basket_per_day(town)
    if wage < rent + basket:
        reason = f"a day's wage is {wage:.2f}, but rent {rent:.2f} and needs {basket:.2f} cost {rent + basket:.2f}"
        yield Problem(("jobs", job, "wage_rate"), f"{reason}; raise the wage or lower rent or prices")


def _poorest(town: TownConfig) -> tuple[str, float]:
    return min(((name, job.wage_per_day) for name, job in town.jobs.items()), key=lambda pair: pair[1])


def _price_of_need(town: TownConfig, need: str) -> float:
    uses = town.affordances.affordances.values()
    costs = (_use_cost(town, use) / restores(use, need) for use in uses if restores(use, need) > 0.0)
    return min(costs, default=inf)


def _use_cost(town: TownConfig, use: Affordance) -> float:
    kind = town.affordances.objects.get(use.object)
    household = use.takes_stock > 0 and kind is not None and kind.shop is None
    meals = use.takes_stock * _meal_cost(town) if household else 0.0
    return _price(town, use) + meals + _ingredients_cost(town, use)


def _meal_cost(town: TownConfig) -> float:
    cooks = (use for use in town.affordances.affordances.values() if use.gives_meals)
    return min(((_price(town, use) + _ingredients_cost(town, use)) / use.gives_meals for use in cooks), default=inf)


def _ingredients_cost(town: TownConfig, use: Affordance) -> float:
    if not use.takes_ingredients:
        return 0.0
    shops = (shop for shop in town.affordances.affordances.values() if shop.gives_ingredients)
    return use.takes_ingredients * min((_price(town, shop) / shop.gives_ingredients for shop in shops), default=inf)


def _price(town: TownConfig, use: Affordance) -> float:
    return town.economy.prices[use.price] if use.price is not None else 0.0
