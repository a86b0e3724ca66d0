"""Rules: a town's configuration compiled once into scalars and tables that kernels read."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import Affordance, Job, TownConfig
from townlet_core.config.options import OPTION_NAMES, Option
from townlet_core.world.grid import PUBLIC, TERRAINS, Grid, Placement, build_grid, pack_channels, placements_of
from townlet_core.world.state import NEED_NAMES, NOBODY, UTILITY_NAMES

WORKPLACE = "workplace"
WORKPLACE_CODE = -2
NO_UTILITY = -1
NO_SHOP = -1
AFFORDANCES_PER_OPTION = 4
RELATIONSHIP_STAGES = ("OFF", "A", "B")
SOCIAL_STAGES = ("OFF", "C1", "C2", "C3")


def _record(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(fields, align=True)))


SCALARS_DTYPE = _record(
    [
        ("decay", "f4", (3,)),
        ("initial_need", "f4", (2,)),
        ("need_weight", "f4", (3,)),
        ("asleep_factor", "f4"),
        ("starvation", "f4"),
        ("hard_need", "f4"),
        ("jitter", "f4"),
        ("needs_scale", "f4"),
        ("survival_tick", "f4"),
        ("wage_reward", "f4"),
        ("punctuality_bonus", "f4"),
        ("faint_penalty", "f4"),
        ("clip_tick", "f4"),
        ("clip_episode", "f4"),
        ("dying_ticks", "f4"),
        ("tie_fade", "f4", (3,)),
        ("forget_below", "f4"),
        ("avoid_threshold", "f4"),
        ("chat_success", "f4"),
        ("chat_base", "f4"),
        ("coeff_trust", "f4"),
        ("coeff_familiarity", "f4"),
        ("avoid_reward", "f4"),
        ("quarrel_cost", "f4"),
        ("rent", "f8"),
        ("treasury", "f8"),
        ("initial_wallet", "f8", (2,)),
        ("late_penalty", "f8"),
        ("initial_ingredients", "i4", (2,)),
        ("day", "i4"),
        ("start_tick", "i4"),
        ("episode_ticks", "i4"),
        ("commit_ticks", "i4"),
        ("idle_ticks", "i4"),
        ("ghost_step_after", "i4"),
        ("patience", "i4"),
        ("queue_cooldown", "i4"),
        ("relationship_stage", "i4"),  # 0 off, 1 A, 2 B
        ("social_stage", "i4"),  # 0 off, 1 C1, 2 C2, 3 C3
        ("personality_matters", "i4"),
        ("chat_cooldown", "i4"),
        ("chat_radius", "i4"),
        ("pre_shift", "i4"),
        ("grace", "i4"),
        ("absent_cutoff", "i4"),
        ("attendance_window", "i4"),
        ("window", "i4"),
    ]
)
"""Every number of the configuration that is not a table; units as in the configuration."""

AFFORDANCE_DTYPE = _record(
    [
        ("effects", "f4", (3,)),
        ("per_tick", "f4", (3,)),
        ("price", "f8"),
        ("option", "i4"),
        ("type", "i4"),
        ("duration", "i4"),
        ("takes_stock", "i4"),
        ("takes_ingredients", "i4"),
        ("gives_meals", "i4"),
        ("gives_ingredients", "i4"),
        ("opens", "i4"),
        ("closes", "i4"),
        ("asleep", "i4"),
        ("shop", "i4"),
    ]
)
"""One affordance: what a use needs, takes, gives and changes."""

FIXTURE_RULES_DTYPE = _record(
    [
        ("restock_cost", "f8"),
        ("type", "i4"),
        ("y", "i4"),
        ("x", "i4"),
        ("home", "i4"),
        ("owner", "i4"),
        ("utility", "i4"),
        ("stock", "i4"),
        ("capacity", "i4"),
        ("restock", "i4"),
    ]
)
"""What does not change about an object: where it stands and whose it is."""

CITIZEN_DTYPE = _record(
    [
        ("wage", "f8"),
        ("lateness_penalty", "f8"),
        ("home", "i4"),
        ("bed", "i4"),
        ("fridge", "i4"),
        ("workplace", "i4"),
        ("job", "i4"),
        ("shift_start", "i4"),
        ("shift_end", "i4"),
    ]
)
"""What does not change about an agent: home, bed, job and shift (minutes of the day)."""

OUTAGE_DTYPE = _record([("probability", "f8"), ("start", "i4", (2,)), ("ticks", "i4", (2,)), ("utility", "i4")])
"""One planned outage: drawn once a day, begins in a range of minutes, lasts a range of ticks."""


class Rules(NamedTuple):
    """A compiled configuration; kernels read it and never write it.

    Attributes:
        scalars: Record of ``SCALARS_DTYPE`` [1].
        affordances: Records of ``AFFORDANCE_DTYPE``, in manifest order.
        serving: For each option its affordances, -1 padded, int32 [options, 4].
        fixtures: Records of ``FIXTURE_RULES_DTYPE`` [O], sorted by type.
        ranges: Where each object type begins in ``fixtures``, int32 [types + 1].
        citizens: Records of ``CITIZEN_DTYPE`` [N].
        outages: Records of ``OUTAGE_DTYPE``.
        terrain: uint8 [H, W].
        fixture_at: int16 [H, W].
        home_at: int16 [H, W].
        distance: uint16 [O, H, W].
        cells: The empty town's packed map with its margin, uint32 [H + 2m, W + 2m].
    """

    scalars: npt.NDArray[Any]
    affordances: npt.NDArray[Any]
    serving: npt.NDArray[np.int32]
    fixtures: npt.NDArray[Any]
    ranges: npt.NDArray[np.int32]
    citizens: npt.NDArray[Any]
    outages: npt.NDArray[Any]
    terrain: npt.NDArray[np.uint8]
    fixture_at: npt.NDArray[np.int16]
    home_at: npt.NDArray[np.int16]
    distance: npt.NDArray[np.uint16]
    cells: npt.NDArray[np.uint32]


class Names(NamedTuple):
    """What the numbers of a town are called, for events, telemetry and datasets."""

    agents: tuple[str, ...]
    fixtures: tuple[str, ...]
    affordances: tuple[str, ...]
    options: tuple[str, ...]
    jobs: tuple[str, ...]


def compile_rules(config: TownConfig) -> tuple[Rules, Names]:
    """Compile a validated configuration into tables and the names that go with them."""
    types = list(config.affordances.objects)
    placements = placements_of(config.map, types)
    grid = build_grid(config.map, placements)
    fixtures = _fixture_table(config, types, placements, grid)
    citizens = _citizen_table(config, types, fixtures)
    affordances = _affordance_table(config, types)
    ranges = np.searchsorted(fixtures["type"], np.arange(len(types) + 1)).astype(np.int32)
    rules = Rules(
        scalars=_scalars(config), affordances=affordances, serving=_serving(affordances), fixtures=fixtures,
        ranges=ranges, citizens=citizens, outages=_outage_table(config), terrain=grid.terrain,
        fixture_at=grid.fixture, home_at=grid.home, distance=grid.distance,
        cells=_empty_cells(grid, fixtures, len(types), config.observations.local_window // 2),
    )  # fmt: skip
    return rules, _names(config, placements)


def _names(config: TownConfig, placements: list[Placement]) -> Names:
    counts: dict[str, int] = {}
    fixtures = []
    for item in placements:
        counts[item.type] = counts.get(item.type, 0) + 1
        fixtures.append(f"{item.type}_{counts[item.type]}")
    agents = tuple(f"agent_{index + 1}" for index in range(config.agents))
    return Names(agents, tuple(fixtures), tuple(config.affordances.affordances), OPTION_NAMES, tuple(config.jobs))


def _scalars(config: TownConfig) -> npt.NDArray[Any]:
    table = np.zeros(1, SCALARS_DTYPE)
    needs, rewards, economy, clock = config.needs, config.rewards, config.economy, config.clock
    values: dict[str, Any] = {
        "decay": [getattr(needs.decay_per_tick, name) for name in NEED_NAMES],
        "initial_need": needs.initial,
        "need_weight": [getattr(rewards.needs_weights, name) for name in NEED_NAMES],
        "asleep_factor": needs.asleep_factor,
        "starvation": needs.starvation_threshold,
        "hard_need": config.options.hard_need,
        "jitter": config.affordance_jitter,
        "needs_scale": rewards.needs_scale,
        "survival_tick": rewards.survival_tick,
        "wage_reward": rewards.wage_rate,
        "punctuality_bonus": rewards.punctuality_bonus,
        "faint_penalty": rewards.faint_penalty,
        "clip_tick": rewards.clip.clip_per_tick,
        "clip_episode": rewards.clip.clip_per_episode,
        "dying_ticks": rewards.clip.no_positive_within_death_ticks,
        "rent": economy.rent_per_day,
        "treasury": economy.treasury,
        "initial_wallet": economy.initial_wallet,
        "initial_ingredients": economy.initial_ingredients,
        "late_penalty": config.employment.late_tick_penalty,
        "day": clock.ticks_per_day,
        "start_tick": clock.start_tick,
        "episode_ticks": clock.episode_days * clock.ticks_per_day,
        "commit_ticks": config.options.commit_ticks,
        "idle_ticks": config.options.idle_ticks,
        "ghost_step_after": config.queues.ghost_step_after,
        "patience": config.queues.patience_ticks,
        "queue_cooldown": config.queues.cooldown_ticks,
        "pre_shift": config.employment.pre_shift_ticks,
        "grace": config.employment.grace_ticks,
        "absent_cutoff": config.employment.absent_cutoff,
        "attendance_window": config.employment.attendance_window,
        "window": config.observations.local_window,
    }
    for name, value in (values | _social_scalars(config)).items():
        table[name] = value
    return table


def _social_scalars(config: TownConfig) -> dict[str, Any]:
    ties, reward, fade = config.relationships, config.rewards.social, config.relationships.fade_per_tick
    return {
        "relationship_stage": RELATIONSHIP_STAGES.index(config.stages.relationships),
        "social_stage": SOCIAL_STAGES.index(config.stages.social_rewards),
        "tie_fade": [fade.trust, fade.familiarity, fade.rivalry],
        "forget_below": ties.forget_below,
        "avoid_threshold": ties.avoid_threshold,
        "personality_matters": ties.personality_matters,
        "chat_cooldown": ties.chats.cooldown_ticks,
        "chat_radius": ties.chats.radius,
        "chat_success": ties.chats.success,
        "chat_base": reward.chat_base,
        "coeff_trust": reward.coeff_trust,
        "coeff_familiarity": reward.coeff_familiarity,
        "avoid_reward": reward.avoid_conflict,
        "quarrel_cost": reward.quarrel_cost,
    }


def ties_kept(config: TownConfig) -> int:
    """Return how many ties an agent keeps: none where relationships are off."""
    return 0 if config.stages.relationships == "OFF" else config.relationships.max_ties


def _affordance_table(config: TownConfig, types: list[str]) -> npt.NDArray[Any]:
    shops = shop_names(config)
    table = np.zeros(len(config.affordances.affordances), AFFORDANCE_DTYPE)
    for row, affordance in zip(table, config.affordances.affordances.values(), strict=True):
        _fill_affordance(row, affordance, config, types, shops)
    return table


def _fill_affordance(row: Any, affordance: Affordance, config: TownConfig, types: list[str], shops: list[str]) -> None:
    works = affordance.object == WORKPLACE
    shop = None if works else config.affordances.objects[affordance.object].shop
    row["option"] = Option[affordance.option.upper()]
    row["type"] = WORKPLACE_CODE if works else types.index(affordance.object)
    for name in ("duration", "takes_stock", "takes_ingredients", "gives_meals", "gives_ingredients", "asleep"):
        row[name] = getattr(affordance, name)
    row["opens"], row["closes"] = affordance.hours or (0, config.clock.ticks_per_day)
    row["price"] = config.economy.prices[affordance.price] if affordance.price else 0.0
    row["shop"] = shops.index(shop) if shop else NO_SHOP
    row["effects"] = [affordance.effects.get(name, 0.0) for name in NEED_NAMES]
    row["per_tick"] = [affordance.per_tick.get(name, 0.0) for name in NEED_NAMES]


def shop_names(config: TownConfig) -> list[str]:
    """Return the names of the shops that keep a till, sorted."""
    return sorted({kind.shop for kind in config.affordances.objects.values() if kind.shop})


def _serving(affordances: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    serving = np.full((len(Option), AFFORDANCES_PER_OPTION), -1, np.int32)
    for option in Option:
        indices = np.flatnonzero(affordances["option"] == option)[:AFFORDANCES_PER_OPTION]
        serving[option, : len(indices)] = indices
    return serving


def _fixture_table(config: TownConfig, types: list[str], placements: list[Placement], grid: Grid) -> npt.NDArray[Any]:
    table = np.zeros(len(placements), FIXTURE_RULES_DTYPE)
    for row, item in zip(table, placements, strict=True):
        kind = config.affordances.objects[item.type]
        row["type"], row["y"], row["x"] = types.index(item.type), item.y, item.x
        row["home"], row["owner"] = grid.home[item.y, item.x], NOBODY
        row["utility"] = UTILITY_NAMES.index(kind.utility) if kind.utility else NO_UTILITY
        row["stock"] = kind.stock or 0
        row["capacity"] = kind.capacity if kind.capacity is not None else kind.stock or 0
        row["restock"] = kind.restock == "nightly"
        row["restock_cost"] = config.economy.restock_cost.get(item.type, 0.0)
    return table


def _citizen_table(config: TownConfig, types: list[str], fixtures: npt.NDArray[Any]) -> npt.NDArray[Any]:
    citizens = np.zeros(config.agents, CITIZEN_DTYPE)
    beds = np.flatnonzero(fixtures["type"] == types.index("bed"))
    openings = [(name, job) for name, job in config.jobs.items() for _ in range(job.openings)]
    taken: dict[str, int] = {}
    for index, row in enumerate(citizens):
        row["bed"] = beds[index]
        row["home"] = fixtures["home"][beds[index]]
        row["fridge"] = _fridge_of(row["home"], types, fixtures)
        fixtures["owner"][beds[index]] = index
        name, job = openings[index]
        _employ(row, job, list(config.jobs).index(name), taken, types, fixtures)
        fixtures["owner"][row["workplace"]] = index
    return citizens


def _fridge_of(home: int, types: list[str], fixtures: npt.NDArray[Any]) -> int:
    if "fridge" not in types or home == PUBLIC:
        return NOBODY
    found = np.flatnonzero((fixtures["type"] == types.index("fridge")) & (fixtures["home"] == home))
    return int(found[0]) if len(found) else NOBODY


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


def _empty_cells(grid: Grid, fixtures: npt.NDArray[Any], types: int, margin: int) -> npt.NDArray[np.uint32]:
    height, width = grid.terrain.shape
    channels = np.zeros((height + 2 * margin, width + 2 * margin, 4), np.uint8)
    inner = channels[margin : margin + height, margin : margin + width]
    inner[..., 0] = grid.terrain.astype(np.int64) * 255 // (len(TERRAINS) - 1)
    stands = grid.fixture >= 0
    inner[stands, 1] = (fixtures["type"][grid.fixture[stands]] + 1) * 255 // types
    return pack_channels(channels)
