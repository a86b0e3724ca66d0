"""Compiles a configuration into the tables that kernels read."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import Affordance, Job, TownConfig
from townlet_core.config.affordances import MAX_PER_OPTION
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.world.condition_tables import ConditionTables, compile_conditions
from townlet_core.world.disturbances import perturbation_table
from townlet_core.world.grid import PUBLIC, TERRAINS, Grid, Placement, build_grid, pack_channels, placements_of
from townlet_core.world.nearest import Lookups, build_lookups
from townlet_core.world.rules import (
    AFFORDANCE_DTYPE,
    CITIZEN_DTYPE,
    FIXTURE_RULES_DTYPE,
    HOOKS,
    NEVER,
    NIGHTLY,
    NO_PRICE,
    NO_SHOP,
    NO_UTILITY,
    OUTAGE_DTYPE,
    TRUCK,
    WORKPLACE_CODE,
    Names,
    Rules,
)
from townlet_core.world.scalars import scalars_of
from townlet_core.world.state import NEED_NAMES, NOBODY, UTILITY_NAMES
from townlet_core.world.ways import ways_of

WORKPLACE = "workplace"
AS_WRITTEN = (
    "duration", "takes_stock", "takes_ingredients", "gives_meals", "gives_ingredients", "asleep", "mends_clothes",
)  # fmt: skip
"""Keys of an affordance that go into its record as they are."""


def compile_rules(config: TownConfig) -> tuple[Rules, Names]:
    """Compile a validated configuration into tables and the names that go with them."""
    types = list(config.affordances.objects)
    placements = placements_of(config.map, types)
    grid = build_grid(config.map, placements)
    fixtures = _fixture_table(config, types, placements, grid)
    citizens = _citizen_table(config, types, fixtures)
    conditions = compile_conditions(config)
    affordances = _affordance_table(config, types)
    lookups = build_lookups(fixtures, len(types), grid)
    _attach(affordances, conditions, lookups)
    ranges = np.searchsorted(fixtures["type"], np.arange(len(types) + 1)).astype(np.int32)
    rules = Rules(
        scalars=scalars_of(config), affordances=affordances,
        code=conditions.code, lists=lookups.lists, serving=_serving(affordances), fixtures=fixtures,
        ranges=ranges, citizens=citizens, outages=_outage_table(config),
        perturbations=perturbation_table(config, types), terrain=grid.terrain,
        fixture_at=grid.fixture, home_at=grid.home, distance=_tile_by_tile(grid.distance),
        cells=_empty_cells(grid, fixtures, len(types), config.observations.local_window // 2),
        **_far_sight(config, grid),
    )  # fmt: skip
    return rules, _names(config, placements)


def _tile_by_tile(distance: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the same table [O, H, W], but stored so that what is looked up together from one tile lies together."""
    return np.ascontiguousarray(np.moveaxis(distance, 0, -1)).transpose(2, 0, 1)


def fixture_names(placements: list[Placement]) -> tuple[str, ...]:
    """Return what objects are called: the type and its number in reading order of the map, from 1."""
    counts: dict[str, int] = {}
    names = []
    for item in placements:
        counts[item.type] = counts.get(item.type, 0) + 1
        names.append(f"{item.type}_{counts[item.type]}")
    return tuple(names)


def _names(config: TownConfig, placements: list[Placement]) -> Names:
    agents = tuple(f"agent_{index + 1}" for index in range(config.agents))
    prices, perturbations = tuple(config.economy.prices), tuple(config.perturbations.events)
    uses = config.affordances.affordances
    requires = tuple(tuple(use.requires) for use in uses.values())
    fixtures, jobs = fixture_names(placements), tuple(config.jobs)
    return Names(agents, fixtures, tuple(uses), OPTION_NAMES, jobs, prices, perturbations, requires)


def ties_kept(config: TownConfig) -> int:
    """Return how many ties an agent keeps: none where relationships are off."""
    return 0 if config.stages.relationships == "OFF" else config.relationships.max_ties


def _affordance_table(config: TownConfig, types: list[str]) -> npt.NDArray[Any]:
    shops = shop_names(config)
    table = np.zeros(len(config.affordances.affordances), AFFORDANCE_DTYPE)
    for row, affordance in zip(table, config.affordances.affordances.values(), strict=True):
        _fill_affordance(row, affordance, config, types, shops)
    return table


def _attach(affordances: npt.NDArray[Any], conditions: ConditionTables, lookups: Lookups) -> None:
    """Tell each affordance where its conditions stand in the code, and the objects to look at in the lists."""
    for row, (first, bound, last) in zip(affordances, conditions.ranges, strict=True):
        row["first_row"], row["bound_row"], row["last_row"] = first, bound, last
        if row["type"] != WORKPLACE_CODE:
            for name, value in lookups.places[row["type"]].items():
                row[name] = value


def _fill_affordance(row: Any, affordance: Affordance, config: TownConfig, types: list[str], shops: list[str]) -> None:
    works = affordance.object == WORKPLACE
    shop = None if works else config.affordances.objects[affordance.object].shop
    row["option"] = Option[affordance.option.upper()]
    row["type"] = WORKPLACE_CODE if works else types.index(affordance.object)
    for name in AS_WRITTEN:
        row[name] = getattr(affordance, name)
    row["opens"], row["closes"] = affordance.hours or (0, config.clock.ticks_per_day)
    row["price"] = config.economy.prices[affordance.price] if affordance.price else 0.0
    row["price_key"] = list(config.economy.prices).index(affordance.price) if affordance.price else NO_PRICE
    row["for_clothes"] = _is_for_clothes(affordance)
    row["shop"] = shops.index(shop) if shop else NO_SHOP
    for moment in ("before", "after", "fail"):
        row[moment] = sum(1 << HOOKS.index(hook) for hook in set(getattr(affordance.hooks, moment)) if hook in HOOKS)
    row["effects"] = [affordance.effects.get(name, 0.0) for name in NEED_NAMES]
    row["per_tick"] = [affordance.per_tick.get(name, 0.0) for name in NEED_NAMES]


def _is_for_clothes(use: Affordance) -> bool:
    others = use.gives_meals or use.gives_ingredients or use.effects or use.per_tick
    return use.mends_clothes > 0 and not others


def shop_names(config: TownConfig) -> list[str]:
    """Return the names of the shops that keep a till, sorted."""
    return sorted({kind.shop for kind in config.affordances.objects.values() if kind.shop})


def _serving(affordances: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    serving = np.full((len(Option), MAX_PER_OPTION), -1, np.int32)
    for option in Option:
        indices = np.flatnonzero(affordances["option"] == option)
        serving[option, : len(indices)] = indices
    return serving


def _fixture_table(config: TownConfig, types: list[str], placements: list[Placement], grid: Grid) -> npt.NDArray[Any]:
    table = np.zeros(len(placements), FIXTURE_RULES_DTYPE)
    for row, item, name in zip(table, placements, fixture_names(placements), strict=True):
        kind = config.affordances.objects[item.type]
        row["type"], row["y"], row["x"] = types.index(item.type), item.y, item.x
        row["home"], row["owner"] = grid.home[item.y, item.x], NOBODY
        row["utility"] = UTILITY_NAMES.index(kind.utility) if kind.utility else NO_UTILITY
        row["stock"] = config.opening.stock.get(name, kind.stock or 0)
        row["capacity"] = kind.capacity if kind.capacity is not None else kind.stock or 0
        row["restock"] = {None: NEVER, "nightly": NIGHTLY, "truck": TRUCK}[kind.restock]
        row["spoilage"] = config.economy.spoilage.get(item.type, 0.0)
        row["restock_cost"] = config.economy.restock_cost.get(item.type, 0.0)
    return table


def _citizen_table(config: TownConfig, types: list[str], fixtures: npt.NDArray[Any]) -> npt.NDArray[Any]:
    citizens = np.zeros(config.agents, CITIZEN_DTYPE)
    uses = config.affordances.affordances.values()
    beds = _of_types(fixtures, types, {use.object for use in uses if use.option == "sleep"})
    fridges = _of_types(fixtures, types, {use.object for use in uses if use.option == "eat_home" and use.takes_stock})
    openings = [(name, job) for name, job in config.jobs.items() for _ in range(job.openings)]
    taken: dict[str, int] = {}
    for index, row in enumerate(citizens):
        row["bed"] = beds[index]
        row["home"] = fixtures["home"][beds[index]]
        at_home = fridges[fixtures["home"][fridges] == row["home"]]
        row["fridge"] = at_home[0] if row["home"] != PUBLIC and len(at_home) else NOBODY
        fixtures["owner"][beds[index]] = index
        name, job = openings[index]
        _employ(row, job, list(config.jobs).index(name), taken, types, fixtures)
        fixtures["owner"][row["workplace"]] = index
    return citizens


def _of_types(fixtures: npt.NDArray[Any], types: list[str], names: set[str]) -> npt.NDArray[np.int64]:
    """Return the numbers of the objects of some types, in the order of the table."""
    return np.flatnonzero(np.isin(fixtures["type"], [number for number, name in enumerate(types) if name in names]))


def _employ(
    row: Any, job: Job, number: int, taken: dict[str, int], types: list[str], fixtures: npt.NDArray[Any]
) -> None:
    places = np.flatnonzero(fixtures["type"] == types.index(job.workplace))
    row["job"], row["workplace"] = number, places[taken.get(job.workplace, 0)]
    taken[job.workplace] = taken.get(job.workplace, 0) + 1
    row["wage"], row["lateness_penalty"] = job.wage_rate, job.lateness_penalty
    row["shift_start"], row["shift_end"] = job.start_tick, job.end_tick


def _outage_table(config: TownConfig) -> npt.NDArray[Any]:
    table = np.zeros(len(config.outages), OUTAGE_DTYPE)
    for row, outage in zip(table, config.outages, strict=True):
        row["utility"] = UTILITY_NAMES.index(outage.utility)
        row["start"], row["ticks"], row["probability"] = outage.start, outage.ticks, outage.probability
    return table


def _far_sight(config: TownConfig, grid: Grid) -> dict[str, npt.NDArray[Any]]:
    """Return the tables that only the ``full`` variant reads; they are empty where nobody sees it."""
    if config.observations.variant != "full":
        return {"ways": np.zeros((0, 0, 0), np.uint16), "homes": np.zeros((0, 0), np.int16)}
    margin = config.observations.local_window // 2
    homes = np.pad(grid.home, margin, constant_values=PUBLIC)
    return {"ways": ways_of(grid, margin), "homes": homes}


def _empty_cells(grid: Grid, fixtures: npt.NDArray[Any], types: int, margin: int) -> npt.NDArray[np.uint32]:
    height, width = grid.terrain.shape
    channels = np.zeros((height + 2 * margin, width + 2 * margin, 4), np.uint8)
    inner = channels[margin : margin + height, margin : margin + width]
    inner[..., 0] = grid.terrain.astype(np.int64) * 255 // (len(TERRAINS) - 1)
    stands = grid.fixture >= 0
    inner[stands, 1] = (fixtures["type"][grid.fixture[stands]] + 1) * 255 // types
    return pack_channels(channels)
