"""What must hold between the sections of a town: things on the map, jobs, beds, prices and hours."""

from collections import Counter
from collections.abc import Iterator

from townlet_core.config.affordances import WORKPLACE
from townlet_core.config.basket import basket_problems
from townlet_core.config.condition_checks import condition_problems, words_of
from townlet_core.config.disturbance_checks import disturbance_problems
from townlet_core.config.documents import KeyPath
from townlet_core.config.explain import unknown_name
from townlet_core.config.identity import id_with_variant
from townlet_core.config.manifest_checks import manifest_problems
from townlet_core.config.map_checks import Problem, map_problems, placed_objects
from townlet_core.config.opening_checks import opening_problems
from townlet_core.config.personality import OPTIONAL_TRAITS
from townlet_core.config.town import TownConfig


def town_problems(town: TownConfig) -> Iterator[Problem]:
    """Find what is wrong with a town, in the order in which it should be mended."""
    own = [Problem(("map", *problem.path), problem.text) for problem in map_problems(town.map)]
    own += [Problem(("affordances", *problem.path), problem.text) for problem in manifest_problems(town.affordances)]
    if own:
        yield from own
        return
    yield from _identity_problems(town)
    yield from _stage_problems(town)
    yield from _object_problems(town)
    for problem in condition_problems(town.affordances, words_of(town.affordances, list(town.jobs))):
        yield Problem(("affordances", *problem.path), problem.text)
    yield from _price_problems(town)
    yield from _clock_problems(town)
    yield from _job_problems(town)
    yield from _bed_problems(town)
    yield from disturbance_problems(town)
    yield from _slot_problems(town)
    if not [*_price_problems(town)]:
        yield from basket_problems(town)
    if not [*_object_problems(town)]:
        yield from opening_problems(town)


def _identity_problems(town: TownConfig) -> Iterator[Problem]:
    """What was learnt with one variant cannot act with another: the id says which one it is."""
    right = id_with_variant(town.config_id, town.observations.variant)
    if town.config_id != right:
        reason = f"the id carries observations.variant and a number: write '{right}'"
        yield Problem(("config_id",), f"found '{town.config_id}'; {reason}")


def _stage_problems(town: TownConfig) -> Iterator[Problem]:
    """Nobody is rewarded for company, nor called together by it, where nobody keeps ties."""
    if town.stages.relationships != "OFF":
        return
    why = "nobody has ties while stages.relationships is OFF"
    if town.stages.social_rewards != "OFF":
        reason = f"found {town.stages.social_rewards}, but {why}; switch them on, or set this to OFF"
        yield Problem(("stages", "social_rewards"), reason)
    for trait in OPTIONAL_TRAITS:
        if getattr(town.personality, trait):
            reason = "nobody has a personality while stages.relationships is OFF; switch them on or set this to false"
            yield Problem(("personality", trait), reason)
    for name, event in town.perturbations.events.items():
        if event.who in ("top_rivals", "top_friends"):
            reason = f"found {event.who}, but {why}; switch them on, or call random citizens"
            yield Problem(("perturbations", "events", name, "who"), reason)


def _object_problems(town: TownConfig) -> Iterator[Problem]:
    known = town.affordances.objects
    for char, entry in town.map.legend.items():
        if entry.object is not None and entry.object not in known:
            path = ("map", "legend", char, "object")
            yield Problem(path, unknown_name("object type", entry.object, known))
    placed = {thing.type for thing in placed_objects(town.map)}
    for name, affordance in town.affordances.affordances.items():
        if affordance.object != WORKPLACE and affordance.object not in placed:
            reason = f"no '{affordance.object}' stands on the map {town.map.map_id}; draw one or remove this affordance"
            yield Problem(("affordances", "affordances", name, "object"), reason)


def _price_problems(town: TownConfig) -> Iterator[Problem]:
    prices = town.economy.prices
    for name, affordance in town.affordances.affordances.items():
        if affordance.price is not None and affordance.price not in prices:
            reason = (
                unknown_name("price", affordance.price, prices) or "there are no prices; add some to economy.prices"
            )
            yield Problem(("affordances", "affordances", name, "price"), reason)
    for name in town.economy.restock_cost:
        if name not in town.affordances.objects:
            path = ("economy", "restock_cost", name)
            yield Problem(path, unknown_name("object type", name, town.affordances.objects))


def _clock_problems(town: TownConfig) -> Iterator[Problem]:
    day = town.clock.ticks_per_day
    moments: list[tuple[KeyPath, int]] = [(("clock", "start_tick"), town.clock.start_tick + 1)]
    moments += [(("jobs", name, "end_tick"), job.end_tick) for name, job in town.jobs.items()]
    moments += [
        (("affordances", "affordances", name, "hours"), use.hours[1])
        for name, use in town.affordances.affordances.items()
        if use.hours is not None
    ]
    moments += [(("outages", index, "start"), outage.start[1] + 1) for index, outage in enumerate(town.outages)]
    for path, tick in moments:
        if tick > day:
            yield Problem(path, f"lies beyond the day's {day} ticks; the day is clock.ticks_per_day long")


def _job_problems(town: TownConfig) -> Iterator[Problem]:
    if WORKPLACE not in {use.object for use in town.affordances.affordances.values()}:
        yield Problem(("affordances", "affordances"), "nobody can work; add an affordance with 'object: workplace'")
    placed = Counter(thing.type for thing in placed_objects(town.map))
    wanted: Counter[str] = Counter()
    for name, job in town.jobs.items():
        wanted[job.workplace] += job.openings
        if job.workplace not in town.affordances.objects:
            reason = unknown_name("object type", job.workplace, town.affordances.objects)
            yield Problem(("jobs", name, "workplace"), reason)
        elif town.affordances.objects[job.workplace].utility is not None:
            reason = f"people work at it ({name}), and work goes on in any outage; remove it, or name another workplace"
            yield Problem(("affordances", "objects", job.workplace, "utility"), reason)
        elif wanted[job.workplace] > placed[job.workplace]:
            count = f"the map has {placed[job.workplace]} '{job.workplace}'"
            reason = f"{count} for {wanted[job.workplace]} openings; draw more or lower the openings"
            yield Problem(("jobs", name, "openings"), reason)
    openings = sum(wanted.values())
    if openings < town.agents:
        reason = f"{town.agents} agents, but jobs have {openings} openings; add openings or lower agents"
        yield Problem(("agents",), reason)


def _slot_problems(town: TownConfig) -> Iterator[Problem]:
    slots = town.embedding_allocator.max_slots
    if slots < town.agents:
        reason = f"{slots} slots for {town.agents} agents, and each needs one; give at least {town.agents}"
        yield Problem(("embedding_allocator", "max_slots"), reason)


def _bed_problems(town: TownConfig) -> Iterator[Problem]:
    types = {use.object for use in town.affordances.affordances.values() if use.option == "sleep"}
    beds = [thing for thing in placed_objects(town.map) if thing.type in types]
    for bed in beds:
        if not bed.home:
            row, column = bed.tile
            reason = f"the {bed.type} at column {column} stands in no home; put it on home terrain"
            yield Problem(("map", "rows", row), reason)
    if len(beds) < town.agents:
        reason = f"{town.agents} agents, but the map has {len(beds)} places to sleep; draw more beds or lower agents"
        yield Problem(("agents",), reason)
