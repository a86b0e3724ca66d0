"""The basket invariant: whoever works a day can pay for that day, also when prices stand high, and has time to live."""

from collections.abc import Iterator
from math import inf

import numpy as np

from townlet_core.config.affordances import Affordance
from townlet_core.config.fields import NEED_NAMES
from townlet_core.config.manifest_checks import restores
from townlet_core.config.map_checks import Problem
from townlet_core.config.price_targets import price_factors, price_keys
from townlet_core.config.town import TownConfig
from townlet_core.config.weather import WEATHER_NAMES


def basket_per_day(town: TownConfig) -> float:
    """Price of the cheapest way to restore in a day what every need loses in a waking day, and to replace clothes.

    For each need: decay per tick x ticks per day x the least price that any affordance asks for one unit
    of that need. A meal from the fridge costs the ingredients that cooking it takes. Prices are those of
    `price_level`.
    """
    levels = price_level(town)
    rates: dict[str, float] = town.needs.decay_per_tick.model_dump()
    losses = {need: rates[need] * town.clock.ticks_per_day for need in NEED_NAMES if rates[need]}
    needs = sum(loss * _price_of_need(town, levels, need) for need, loss in losses.items())
    return needs + _clothes_per_day(town, levels)


def price_level(town: TownConfig) -> dict[str, float]:
    """Return by price key the dearest level that prices keep up: base x moves x weather x spikes.

    Moves count at their upper bound (no higher than mean reversion lets them drift: daily_max / reversion), for they
    may stay there for weeks; weather and spikes come and go, so they count by their mean over the days.
    """
    moves = town.economy.price_moves
    drift = min(moves.bound, moves.daily_max / moves.reversion if moves.reversion else 1.0) if moves.daily_max else 0.0
    weather, spikes = _mean_weather_factors(town), _mean_spike_factors(town)
    return {key: base * (1.0 + drift) * weather[key] * spikes[key] for key, base in town.economy.prices.items()}


def weather_shares(town: TownConfig) -> dict[str, float]:
    """Return the share of time that each kind of weather has in the long run, from the first weather on."""
    names = [name for name in WEATHER_NAMES if name in town.weather.kinds]
    chain = np.zeros((len(names), len(names)))
    for row, name in enumerate(names):
        turns = town.weather.kinds[name].turns_to
        chain[row] = [turns.get(other, 0.0) for other in names]
        chain[row, row] += 1.0 - chain[row].sum()
    lasting = (chain + np.eye(len(names))) / 2.0  # the same shares in the long run, without cycles
    for _ in range(40):
        lasting = lasting @ lasting
    return dict(zip(names, lasting[names.index(town.weather.start)].tolist(), strict=True))


def day_slack(town: TownConfig) -> float:
    """Share by which the poorest job's daily wage exceeds rent and basket; negative when it does not pay for a day."""
    needed = town.economy.rent_per_day + basket_per_day(town)
    return _poorest(town)[1] / needed - 1.0 if needed else inf


def ticks_per_day_for(town: TownConfig, need: str) -> float:
    """Ticks of use that restore what a need loses in a waking day, by the quickest affordance there is; ways aside."""
    uses = town.affordances.affordances.values()
    quickest = min((use.duration / restores(use, need) for use in uses if restores(use, need) > 0.0), default=inf)
    loss = getattr(town.needs.decay_per_tick, need) * town.clock.ticks_per_day
    return float(loss * quickest) if loss else 0.0


def basket_problems(town: TownConfig) -> Iterator[Problem]:
    """Check that every need can be restored, that a day has time for it, and that the poorest job pays for it."""
    levels = price_level(town)
    for need in NEED_NAMES:
        if _price_of_need(town, levels, need) == inf:
            reason = f"nothing restores {need}; add an affordance with effects: {{{need}: ...}}"
            yield Problem(("affordances", "affordances"), reason)
            return
    yield from _time_problems(town)
    job, wage = _poorest(town)
    rent, basket = town.economy.rent_per_day, basket_per_day(town)
    if wage < rent + basket:
        reason = f"a day's wage is {wage:.2f}, but rent {rent:.2f} and needs {basket:.2f} cost {rent + basket:.2f}"
        yield Problem(("jobs", job, "wage_rate"), f"{reason}; raise the wage or lower rent or prices")


def _time_problems(town: TownConfig) -> Iterator[Problem]:
    times = {need: ticks_per_day_for(town, need) for need in NEED_NAMES}
    shift, day = max(job.end_tick - job.start_tick for job in town.jobs.values()), town.clock.ticks_per_day
    if sum(times.values()) + shift > day:
        needed = ", ".join(f"{need} {ticks:.0f}" for need, ticks in times.items())
        reason = f"a day's needs take {sum(times.values()):.0f} ticks ({needed}) and the longest shift {shift}"
        yield Problem(("needs", "decay_per_tick"), f"{reason}, but the day has {day}; lower the rates or the shift")


def _mean_weather_factors(town: TownConfig) -> dict[str, float]:
    means = dict.fromkeys(town.economy.prices, 1.0)
    if not town.weather.enabled:
        return means
    for name, share in weather_shares(town).items():
        for key, factor in price_factors(town, town.weather.kinds[name].prices).items():
            means[key] += share * (factor - 1.0)
    return means


def _mean_spike_factors(town: TownConfig) -> dict[str, float]:
    means = dict.fromkeys(town.economy.prices, 1.0)
    for event in town.perturbations.events.values():
        if event.kind == "price_spike" and event.magnitude is not None:
            share = min(event.prob_per_day * sum(event.duration) / 2.0 / town.clock.ticks_per_day, 1.0)
            for key in frozenset().union(*(price_keys(town, target) for target in event.targets or ())):
                means[key] *= 1.0 + share * (sum(event.magnitude) / 2.0 - 1.0)
    return means


def _clothes_per_day(town: TownConfig, levels: dict[str, float]) -> float:
    clothes, uses = town.economy.clothes, town.affordances.affordances.values()
    if not clothes.enabled:
        return 0.0
    prices = (_price(levels, use) / use.mends_clothes for use in uses if use.mends_clothes and not _serves_needs(use))
    return clothes.wear_per_day * min(prices, default=0.0)


def _serves_needs(use: Affordance) -> bool:
    return any(restores(use, need) > 0.0 for need in NEED_NAMES)


def _poorest(town: TownConfig) -> tuple[str, float]:
    return min(((name, job.wage_per_day) for name, job in town.jobs.items()), key=lambda pair: pair[1])


def _price_of_need(town: TownConfig, levels: dict[str, float], need: str) -> float:
    uses = town.affordances.affordances.values()
    costs = (_use_cost(town, levels, use) / restores(use, need) for use in uses if restores(use, need) > 0.0)
    return min(costs, default=inf)


def _use_cost(town: TownConfig, levels: dict[str, float], use: Affordance) -> float:
    kind = town.affordances.objects.get(use.object)
    household = use.takes_stock > 0 and kind is not None and kind.shop is None
    meals = use.takes_stock * _meal_cost(town, levels) if household else 0.0
    return _price(levels, use) + meals + _ingredients_cost(town, levels, use)


def _meal_cost(town: TownConfig, levels: dict[str, float]) -> float:
    cooks = (use for use in town.affordances.affordances.values() if use.gives_meals)
    costs = ((_price(levels, use) + _ingredients_cost(town, levels, use)) / use.gives_meals for use in cooks)
    return min(costs, default=inf)


def _ingredients_cost(town: TownConfig, levels: dict[str, float], use: Affordance) -> float:
    if not use.takes_ingredients:
        return 0.0
    shops = (shop for shop in town.affordances.affordances.values() if shop.gives_ingredients)
    return use.takes_ingredients * min((_price(levels, shop) / shop.gives_ingredients for shop in shops), default=inf)


def _price(levels: dict[str, float], use: Affordance) -> float:
    return levels[use.price] if use.price is not None else 0.0
