"""What must hold within an affordance manifest, whatever town uses it."""

from collections.abc import Iterator

from townlet_core.config.affordances import (
    MAX_PER_OPTION,
    MAX_SHOPS,
    WORKPLACE,
    Affordance,
    AffordanceManifest,
    ObjectType,
)
from townlet_core.config.condition_checks import condition_problems, words_of
from townlet_core.config.explain import unknown_name
from townlet_core.config.fields import SERVED_OPTIONS
from townlet_core.config.hooks import hook_problems
from townlet_core.config.map_checks import Problem


def manifest_problems(manifest: AffordanceManifest) -> Iterator[Problem]:
    """Find what makes a manifest unusable: unknown object types, stock taken from things that hold none."""
    yield from _size_problems(manifest)
    for name, kind in manifest.objects.items():
        yield from _object_problems(name, kind)
    for name, affordance in manifest.affordances.items():
        yield from _affordance_problems(name, affordance, manifest)
        for moment, index, reason in hook_problems(affordance.hooks):
            yield Problem(("affordances", name, "hooks", moment, index), reason)
    yield from condition_problems(manifest, words_of(manifest))


def manifest_warnings(manifest: AffordanceManifest) -> Iterator[Problem]:
    """Find what is allowed but rarely meant: idle objects, unserved options, affordances that change nothing."""
    uses = {affordance.object for affordance in manifest.affordances.values()}
    if WORKPLACE not in uses:
        for name in manifest.objects.keys() - uses:
            yield Problem(("objects", name), "no affordance uses this object type; add one or remove it")
    served = {affordance.option for affordance in manifest.affordances.values()}
    for option in SERVED_OPTIONS:
        if option not in served:
            yield Problem(("affordances",), f"no affordance serves the option '{option}'; add one")
    for name, affordance in manifest.affordances.items():
        if affordance.object != WORKPLACE and not _changes_anything(affordance):
            yield Problem(("affordances", name), "changes nothing; give it effects, per_tick, meals or ingredients")


def restores(affordance: Affordance, need: str) -> float:
    """Say how much of a need one whole use gives back, in need units."""
    return affordance.effects.get(need, 0.0) + affordance.duration * affordance.per_tick.get(need, 0.0)


def _size_problems(manifest: AffordanceManifest) -> Iterator[Problem]:
    """Find what is too much for the tables of the kernels."""
    for option, names in _by_option(manifest).items():
        if len(names) > MAX_PER_OPTION:
            reason = f"{len(names)} affordances serve the option {option}, at most {MAX_PER_OPTION} can; leave some out"
            yield Problem(("affordances", names[-1], "option"), reason)
    shops = {kind.shop: name for name, kind in manifest.objects.items() if kind.shop}
    if len(shops) > MAX_SHOPS:
        reason = f"found {len(shops)} shops, expected at most {MAX_SHOPS}; let some share a till"
        yield Problem(("objects", list(shops.values())[-1], "shop"), reason)


def _by_option(manifest: AffordanceManifest) -> dict[str, list[str]]:
    served: dict[str, list[str]] = {}
    for name, use in manifest.affordances.items():
        served.setdefault(use.option, []).append(name)
    return served


def _object_problems(name: str, kind: ObjectType) -> Iterator[Problem]:
    if kind.stock is not None and kind.capacity is not None and kind.stock > kind.capacity:
        yield Problem(("objects", name, "stock"), f"found {kind.stock}, expected at most the capacity {kind.capacity}")
    if kind.restock is not None and kind.capacity is None:
        yield Problem(("objects", name, "restock"), "restocking needs a capacity to refill to; add 'capacity'")
    if kind.capacity is not None and kind.stock is None:
        yield Problem(("objects", name, "capacity"), "a capacity needs a stock to start with; add 'stock'")


def _affordance_problems(name: str, affordance: Affordance, manifest: AffordanceManifest) -> Iterator[Problem]:
    path = ("affordances", name)
    if affordance.object == WORKPLACE:
        if affordance.takes_stock:
            yield Problem((*path, "takes_stock"), "a workplace gives no stock; name an object type instead")
        if affordance.price is not None:
            yield Problem((*path, "price"), "nobody pays for work; remove it, wages are the jobs' wage_rate")
        return
    if affordance.object not in manifest.objects:
        known = [*manifest.objects, WORKPLACE]
        yield Problem((*path, "object"), unknown_name("object type", affordance.object, known))
        return
    stock = manifest.objects[affordance.object].stock
    if affordance.takes_stock and stock is None:
        reason = f"'{affordance.object}' holds no stock; give objects.{affordance.object} a 'stock' or take none"
        yield Problem((*path, "takes_stock"), reason)


def _changes_anything(affordance: Affordance) -> bool:
    gives = affordance.gives_meals or affordance.gives_ingredients or affordance.mends_clothes
    return bool(gives) or any(affordance.effects.values()) or any(affordance.per_tick.values())
