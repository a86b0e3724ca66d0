"""Scalars of coming and going: sections of the configuration as the numbers that its kernels read."""

from typing import Any

from townlet_core.config import TownConfig


def exit_values(config: TownConfig) -> dict[str, Any]:
    """Give the numbers of who leaves, and when."""
    life, day = config.lifecycle, config.clock.ticks_per_day
    return {
        "lifecycle": life.enabled,
        "mortality": life.mortality,
        "collapse": life.collapse_ticks,
        "exposure": life.exposure_ticks,
        "unpaid_days": life.unpaid_days,
        "unemployed_ticks": life.unemployed_days * day,
        "chronic_level": life.chronic_level,
        "chronic_ticks": round(life.chronic_share * day),
        "max_age": life.max_days * day,
        "exits_per_day": life.exits_per_day,
        "exit_cooldown": life.exit_cooldown_ticks,
    }


def arrival_values(config: TownConfig) -> dict[str, Any]:
    """Give the numbers of who comes, and what newcomers bring."""
    arrivals = config.lifecycle.arrivals
    return {
        "arrivals": arrivals.enabled,
        "arrival_delay": arrivals.delay_ticks,
        "kit_money": arrivals.kit_rents * config.economy.rent_per_day,
        "kit_ingredients": arrivals.kit_ingredients,
        "elitism": arrivals.elitism,
        "elitism_noise": arrivals.elitism_noise,
    }


def slot_values(config: TownConfig) -> dict[str, Any]:
    """Give the numbers of embedding slots."""
    return {
        "slots": max(config.embedding_allocator.max_slots, config.agents),
        "slot_cooldown": config.embedding_allocator.cooldown_ticks,
        "log_forced": config.embedding_allocator.log_forced_reuse,
    }
