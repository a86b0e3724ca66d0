"""What a price change aims at: a price key, a shop, or a group of keys."""

from collections.abc import Iterable, Iterator

from townlet_core.config.documents import KeyPath
from townlet_core.config.explain import unknown_name
from townlet_core.config.map_checks import Problem
from townlet_core.config.town import TownConfig

GROUPS = ("global", "market")
"""`global` is every price; `market` is what is paid into a shop's till."""


def price_keys(town: TownConfig, target: str) -> frozenset[str]:
    """Return the price keys that a target stands for; none for an unknown one. A key goes before a shop's name."""
    if target == "global":
        return frozenset(town.economy.prices)
    if target == "market":
        return frozenset().union(*_by_shop(town).values())
    return frozenset({target}) if target in town.economy.prices else _by_shop(town).get(target, frozenset())


def target_problems(town: TownConfig, path: KeyPath, targets: Iterable[str]) -> Iterator[Problem]:
    """Find targets that stand for no price, with the nearest one that does."""
    known = {*GROUPS, *town.economy.prices, *_by_shop(town)}
    for target in targets:
        if target not in known:
            yield Problem(path, unknown_name("price, shop or group", target, known))


def price_factors(town: TownConfig, factors: dict[str, float]) -> dict[str, float]:
    """Return the factor of each price key where factors are given by target; those of several targets multiply."""
    found = dict.fromkeys(town.economy.prices, 1.0)
    for target, factor in factors.items():
        for key in price_keys(town, target):
            found[key] *= factor
    return found


def _by_shop(town: TownConfig) -> dict[str, frozenset[str]]:
    """Return the price keys of what is used at each shop's objects."""
    found: dict[str, frozenset[str]] = {}
    for use in town.affordances.affordances.values():
        kind = town.affordances.objects.get(use.object)
        if kind is not None and kind.shop is not None and use.price in town.economy.prices:
            found[kind.shop] = found.get(kind.shop, frozenset()) | {use.price}
    return found
