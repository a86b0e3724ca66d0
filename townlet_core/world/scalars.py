"""Scalars: every number of the configuration that is not a table, section by section."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.config.economy import MAX_PRICES
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.config.price_targets import price_factors
from townlet_core.config.weather import WEATHER_NAMES
from townlet_core.world.lifecycle_scalars import arrival_values, exit_values, slot_values
from townlet_core.world.rules import RELATIONSHIP_STAGES, SOCIAL_STAGES, record_of
from townlet_core.world.state import FORGIVENESS, NEED_NAMES, PATIENCE, TRAITS

PLANES = {"full": 2, "hybrid": 1, "compact": 0}
"""How many uint32 of four packed channels each tile of a map crop has, by variant."""
WEATHERS = len(WEATHER_NAMES)
CLEAR = WEATHER_NAMES.index("clear")
"""The weather of a town that has none."""

SCALARS_DTYPE = record_of(
    [
        # needs
        ("decay", "f4", (3,)),
        ("initial_need", "f4", (2,)),
        ("asleep_factor", "f4"),
        ("starvation", "f4"),
        # options
        ("hard_need", "f4"),
        ("commit_ticks", "i4"),
        ("idle_ticks", "i4"),
        ("jitter", "f4"),
        ("primitives", "i4"),  # agents choose steps, not options
        # rewards
        ("need_weight", "f4", (3,)),
        ("needs_scale", "f4"),
        ("survival_tick", "f4"),
        ("wage_reward", "f4"),
        ("punctuality_bonus", "f4"),
        ("faint_penalty", "f4"),
        ("eviction_penalty", "f4"),
        ("clip_tick", "f4"),
        ("clip_episode", "f4"),
        ("dying_ticks", "f4"),
        ("needs_floor", "f4"),
        ("use_potential", "i4"),
        ("shaping_gamma", "f8"),
        ("shaping_needs", "f8"),
        ("shaping_savings", "f8"),
        ("curiosity_weight", "f8"),
        ("curiosity_decay", "f8"),  # share of the weight that each milestone takes away
        # company
        ("tie_fade", "f4", (3,)),
        ("forget_below", "f4"),
        ("avoid_threshold", "f4"),
        ("chat_success", "f4"),
        ("relationship_stage", "i4"),  # 0 off, 1 A, 2 B
        ("traits", "i4", (TRAITS,)),  # which of them citizens have
        ("less_first", "i4"),  # the trait by which a queue decides between equal claims
        ("personality_matters", "i4"),
        ("conflict_rivalry", "f8"),
        ("ghost_boost", "f8"),
        ("queue_boost", "f8"),
        ("chat_cooldown", "i4"),
        ("chat_radius", "i4"),
        # social rewards
        ("social_stage", "i4"),  # 0 off, 1 C1, 2 C2, 3 C3
        ("chat_base", "f4"),
        ("coeff_trust", "f4"),
        ("coeff_familiarity", "f4"),
        ("avoid_reward", "f4"),
        ("quarrel_cost", "f4"),
        # economy
        ("rent", "f8"),
        ("treasury", "f8"),
        ("initial_wallet", "f8", (2,)),
        ("initial_ingredients", "i4", (2,)),
        # clock
        ("day", "i4"),
        ("start_tick", "i4"),
        ("episode_ticks", "i4"),
        # queues
        ("ghost_step_after", "i4"),
        ("patience", "i4"),
        ("queue_cooldown", "i4"),
        ("age_priority_weight", "f8"),
        # work
        ("late_penalty", "f8"),
        ("absence_penalty", "f8"),
        ("pre_shift", "i4"),
        ("await_start", "i4"),
        ("grace", "i4"),
        ("absent_cutoff", "i4"),
        ("absence_slack", "i4"),
        ("attendance_window", "i4"),
        # prices and supply
        ("move_max", "f8"),
        ("move_bound", "f8"),
        ("move_reversion", "f8"),
        ("prices", "f8", (MAX_PRICES,)),
        ("prices_vary", "i4"),
        ("truck_arrives", "i4", (2,)),
        ("truck_probability", "f8"),
        ("truck_size", "i4"),
        # clothes
        ("clothes_matter", "i4"),
        ("clothes_wear", "f4"),
        ("worn_below", "f4"),
        ("initial_clothes", "f4", (2,)),
        ("worn_hygiene", "f4"),
        ("worn_chat", "f4"),
        # weather
        ("weather_interval", "i4"),  # 0: no weather
        ("weather_start", "i4"),
        ("weather_turns", "f8", (WEATHERS, WEATHERS)),
        ("weather_pause", "i4", (WEATHERS,)),
        ("weather_prices", "f8", (WEATHERS, MAX_PRICES)),
        # perturbations
        ("max_concurrent", "i4"),
        ("overlap_ticks", "i4"),  # a day
        ("global_cooldown", "i4"),
        ("agent_cooldown", "i4"),
        ("grace_window", "i4"),
        ("event_window", "i4"),
        ("events_per_window", "i4"),
        ("not_before_day", "i4"),
        ("max_absences", "i4"),
        ("job_exit_cap", "i4"),
        ("job_exit_limit", "i4"),
        ("job_exit_review", "i4"),
        # lifecycle
        ("lifecycle", "i4"),
        ("mortality", "i4"),
        ("collapse", "i4"),
        ("exposure", "i4"),
        ("unpaid_days", "i4"),
        ("unemployed_ticks", "i4"),
        ("chronic_level", "f4"),
        ("chronic_ticks", "i4"),
        ("max_age", "i4"),
        ("exits_per_day", "i4"),
        ("exit_cooldown", "i4"),
        ("arrivals", "i4"),
        ("arrival_delay", "i4", (2,)),
        ("kit_money", "f8"),
        ("kit_ingredients", "i4"),
        ("elitism", "f4"),
        ("elitism_noise", "f4"),
        # embedding slots
        ("slots", "i4"),
        ("slot_cooldown", "i4"),
        ("log_forced", "i4"),
        # sight
        ("window", "i4"),
        ("planes", "i4"),  # uint32 per tile of a crop: 2 full, 1 hybrid, 0 compact
        ("span", "i4"),  # the map's longer side in tiles
        ("sees_targets", "i4"),
        ("top_friends", "i4"),
        ("top_rivals", "i4"),
        ("sees_standing", "i4"),
    ]
)
"""Every number of the configuration that is not a table; units as in the configuration."""


def scalars_of(config: TownConfig) -> npt.NDArray[Any]:
    """Return the one record of ``SCALARS_DTYPE`` that a configuration stands for."""
    table = np.zeros(1, SCALARS_DTYPE)
    sections = (
        _needs, _options, _rewards, _incentives, _company, _social_rewards, _economy, _clock, _queues, _work, _sight,
        _prices, _clothes, _weather, _perturbations, exit_values, arrival_values, slot_values,
    )  # fmt: skip
    for section in sections:
        for name, value in section(config).items():
            table[name] = value
    return table


def _needs(config: TownConfig) -> dict[str, Any]:
    needs = config.needs
    return {
        "decay": [getattr(needs.decay_per_tick, name) for name in NEED_NAMES],
        "initial_need": needs.initial,
        "asleep_factor": needs.asleep_factor,
        "starvation": needs.starvation_threshold,
    }


def _options(config: TownConfig) -> dict[str, Any]:
    return {
        "hard_need": config.options.hard_need,
        "commit_ticks": config.options.commit_ticks,
        "idle_ticks": config.options.idle_ticks,
        "jitter": config.affordance_jitter,
        "primitives": config.control == "primitives",
    }


def _rewards(config: TownConfig) -> dict[str, Any]:
    rewards = config.rewards
    return {
        "need_weight": [getattr(rewards.needs_weights, name) for name in NEED_NAMES],
        "needs_scale": rewards.needs_scale,
        "survival_tick": rewards.survival_tick,
        "wage_reward": rewards.wage_rate,
        "punctuality_bonus": rewards.punctuality_bonus,
        "faint_penalty": rewards.faint_penalty,
        "eviction_penalty": rewards.eviction_penalty,
        "clip_tick": rewards.clip.clip_per_tick,
        "clip_episode": rewards.clip.clip_per_episode,
        "dying_ticks": rewards.clip.no_positive_within_death_ticks,
        "needs_floor": rewards.needs_floor,
    }


def _incentives(config: TownConfig) -> dict[str, Any]:
    shaping, curiosity = config.rewards.shaping, config.rewards.curiosity
    return {
        "use_potential": shaping.use_potential,
        "shaping_gamma": shaping.gamma,
        "shaping_needs": shaping.needs,
        "shaping_savings": shaping.savings,
        "curiosity_weight": curiosity.weight,
        "curiosity_decay": 0.5 if curiosity.decay_by_milestone == "M2" else 0.0,
    }


def _company(config: TownConfig) -> dict[str, Any]:
    ties, fade = config.relationships, config.relationships.fade_per_tick
    return {
        "tie_fade": [fade.trust, fade.familiarity, fade.rivalry],
        "forget_below": ties.forget_below,
        "avoid_threshold": ties.avoid_threshold,
        "chat_success": ties.chats.success,
        "relationship_stage": RELATIONSHIP_STAGES.index(config.stages.relationships),
        "traits": [name in config.traits for name in TRAIT_NAMES],
        "less_first": PATIENCE if "patience" in config.traits else FORGIVENESS,
        "personality_matters": ties.personality_matters,
        "conflict_rivalry": ties.conflict.increment,
        "ghost_boost": ties.conflict.ghost_boost,
        "queue_boost": ties.conflict.queue_boost,
        "chat_cooldown": ties.chats.cooldown_ticks,
        "chat_radius": ties.chats.radius,
    }


def _social_rewards(config: TownConfig) -> dict[str, Any]:
    reward = config.rewards.social
    return {
        "social_stage": SOCIAL_STAGES.index(config.stages.social_rewards),
        "chat_base": reward.chat_base,
        "coeff_trust": reward.coeff_trust,
        "coeff_familiarity": reward.coeff_familiarity,
        "avoid_reward": reward.avoid_conflict,
        "quarrel_cost": reward.quarrel_cost,
    }


def _economy(config: TownConfig) -> dict[str, Any]:
    economy = config.economy
    return {
        "rent": economy.rent_per_day,
        "treasury": economy.treasury,
        "initial_wallet": economy.initial_wallet,
        "initial_ingredients": economy.initial_ingredients,
    }


def _clock(config: TownConfig) -> dict[str, Any]:
    clock = config.clock
    return {
        "day": clock.ticks_per_day,
        "start_tick": clock.start_tick,
        "episode_ticks": clock.episode_days * clock.ticks_per_day,
    }


def _queues(config: TownConfig) -> dict[str, Any]:
    return {
        "ghost_step_after": config.queues.ghost_step_after,
        "patience": config.queues.patience_ticks,
        "queue_cooldown": config.queues.cooldown_ticks,
        "age_priority_weight": config.queues.age_priority_weight,
    }


def _work(config: TownConfig) -> dict[str, Any]:
    return {
        "late_penalty": config.employment.late_tick_penalty,
        "absence_penalty": config.employment.absence_penalty,
        "pre_shift": config.employment.pre_shift_ticks,
        "await_start": config.employment.await_start_ticks,
        "grace": config.employment.grace_ticks,
        "absent_cutoff": config.employment.absent_cutoff,
        "absence_slack": config.employment.absence_slack,
        "attendance_window": config.employment.attendance_window,
        "max_absences": config.employment.max_absent_shifts,
        "job_exit_cap": config.employment.daily_exit_cap,
        "job_exit_limit": config.employment.exit_queue_limit,
        "job_exit_review": config.employment.exit_review_window,
    }


def _sight(config: TownConfig) -> dict[str, Any]:
    sight, rows = config.observations, config.map.rows
    return {
        "window": sight.local_window,
        "planes": PLANES[sight.variant],
        "span": max(len(rows), len(rows[0])),
        "sees_targets": config.shows_targets,
        "top_friends": sight.social_snippet.top_friends,
        "top_rivals": sight.social_snippet.top_rivals,
        "sees_standing": sight.social_snippet.include_aggregates,
    }


def prices_vary(config: TownConfig) -> bool:
    """Say whether anything in a town can move its prices."""
    weather = config.weather.enabled and any(kind.prices for kind in config.weather.kinds.values())
    spikes = any(event.kind == "price_spike" for event in config.perturbations.events.values())
    return bool(config.economy.price_moves.daily_max) or weather or spikes


def _prices(config: TownConfig) -> dict[str, Any]:
    economy = config.economy
    return {
        "move_max": economy.price_moves.daily_max,
        "move_bound": economy.price_moves.bound,
        "move_reversion": economy.price_moves.reversion,
        "prices": _padded(list(economy.prices.values())),
        "prices_vary": prices_vary(config),
        "truck_arrives": economy.truck.arrives,
        "truck_probability": economy.truck.probability,
        "truck_size": economy.truck.size,
    }


def _padded(values: list[float]) -> list[float]:
    return values + [0.0] * (MAX_PRICES - len(values))


def _clothes(config: TownConfig) -> dict[str, Any]:
    clothes = config.economy.clothes
    return {
        "clothes_matter": clothes.enabled,
        "clothes_wear": clothes.wear_per_day,
        "worn_below": clothes.worn_below,
        "initial_clothes": clothes.initial,
        "worn_hygiene": clothes.hygiene_factor,
        "worn_chat": clothes.chat_factor,
    }


def _weather(config: TownConfig) -> dict[str, Any]:
    weather = config.weather
    turns, pauses = np.zeros((WEATHERS, WEATHERS)), np.zeros(WEATHERS, np.int32)
    factors = np.ones((WEATHERS, MAX_PRICES))
    for name, kind in weather.kinds.items() if weather.enabled else ():
        row = WEATHER_NAMES.index(name)
        for other, probability in kind.turns_to.items():
            turns[row, WEATHER_NAMES.index(other)] = probability
        pauses[row] = kind.pause_every
        factors[row, : len(config.economy.prices)] = list(price_factors(config, kind.prices).values())
    return {
        "weather_interval": weather.interval_ticks if weather.enabled else 0,
        "weather_start": WEATHER_NAMES.index(weather.start) if weather.enabled else CLEAR,
        "weather_turns": turns,
        "weather_pause": pauses,
        "weather_prices": factors,
    }


def _perturbations(config: TownConfig) -> dict[str, Any]:
    bounds = config.perturbations
    return {
        "max_concurrent": bounds.max_concurrent,
        "overlap_ticks": int(bounds.max_overlap_share * config.clock.ticks_per_day),
        "global_cooldown": bounds.global_cooldown_ticks,
        "agent_cooldown": bounds.per_agent_cooldown_ticks,
        "grace_window": bounds.grace_window_ticks,
        "event_window": bounds.window_ticks,
        "events_per_window": bounds.max_events_per_window,
        "not_before_day": bounds.not_before_day,
    }
