"""What must hold for weather and perturbations: that what they aim at exists, and that each has what its kind needs."""

from collections.abc import Iterator

from townlet_core.config.documents import KeyPath
from townlet_core.config.explain import unknown_name
from townlet_core.config.map_checks import Problem, placed_objects
from townlet_core.config.perturbations import Perturbation
from townlet_core.config.price_targets import target_problems
from townlet_core.config.town import TownConfig

NEEDED = {
    "price_spike": ("magnitude", "targets"),
    "blackout": (),
    "outage": (),
    "arranged_meet": ("who", "where", "max_participants"),
    "chaos_hour": ("magnitude",),
}
"""The keys that each kind of perturbation needs; it takes none of the others'."""


def disturbance_problems(town: TownConfig) -> Iterator[Problem]:
    """Find targets that do not exist, keys that a kind lacks or has no use for, and a truck or clothes without use."""
    for name, kind in town.weather.kinds.items():
        yield from target_problems(town, ("weather", "kinds", name, "prices"), kind.prices)
    for name, event in town.perturbations.events.items():
        path: KeyPath = ("perturbations", "events", name)
        yield from _shape_problems(path, event)
        yield from target_problems(town, (*path, "targets"), event.targets or ())
        yield from _place_problems(town, path, event)
    yield from _supply_problems(town)


def _shape_problems(path: KeyPath, event: Perturbation) -> Iterator[Problem]:
    needed = NEEDED[event.kind]
    for key in sorted({key for keys in NEEDED.values() for key in keys}):
        given = getattr(event, key) is not None
        if given and key not in needed:
            yield Problem((*path, key), f"means nothing for the kind {event.kind}; remove it")
        if not given and key in needed:
            yield Problem(path, f"the kind {event.kind} needs the key '{key}'; add it")
    if event.magnitude is not None and event.magnitude[0] > event.magnitude[1]:
        yield Problem((*path, "magnitude"), f"found {list(event.magnitude)}, expected the lower bound first")


def _place_problems(town: TownConfig, path: KeyPath, event: Perturbation) -> Iterator[Problem]:
    placed = {thing.type for thing in placed_objects(town.map)}
    if event.where is not None and event.where not in placed:
        yield Problem((*path, "where"), unknown_name("object type on the map", event.where, placed))


def _supply_problems(town: TownConfig) -> Iterator[Problem]:
    day, clothes = town.clock.ticks_per_day, town.economy.clothes
    if town.economy.truck.arrives[1] >= day:
        reason = f"lies beyond the day's {day} ticks; the day is clock.ticks_per_day long"
        yield Problem(("economy", "truck", "arrives"), reason)
    for name in town.economy.spoilage:
        if name not in town.affordances.objects:
            yield Problem(("economy", "spoilage", name), unknown_name("object type", name, town.affordances.objects))
    mends = any(use.mends_clothes for use in town.affordances.affordances.values())
    if clothes.enabled and clothes.wear_per_day and not mends:
        reason = "clothes wear out, but nothing mends them; add an affordance with mends_clothes, or switch clothes off"
        yield Problem(("economy", "clothes", "enabled"), reason)
