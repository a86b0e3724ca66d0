"""Lifecycle: when citizens leave the town, who comes in their place, and by which numbers networks know them."""

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, DurationRange, Share, Tick

MAX_SLOTS = 1024
"""Most embedding slots that a town may have."""


class Arrivals(BaseModel):
    """Newcomers: how long a place stays empty, and what who takes it brings along.

    `delay_ticks` is drawn per exit. The kit is `kit_rents` days of rent, out of the treasury as far as it goes, and
    `kit_ingredients` portions. `elitism` is the share of newcomers who take after the fittest citizen instead of
    the low-discrepancy sequence, each trait within `elitism_noise` of that citizen's.
    """

    model_config = STRICT
    enabled: bool = True
    delay_ticks: DurationRange = (5, 20)
    kit_rents: float = Field(default=1.5, ge=0.0, le=30.0)
    kit_ingredients: int = Field(default=2, ge=0, le=100)
    elitism: Share = 0.0
    elitism_noise: Share = 0.05


class Lifecycle(BaseModel):
    """When a citizen leaves the town for good. Where this is off, needs may reach zero and nobody leaves or comes.

    `mortality` covers starving (`needs.starvation_threshold`), `collapse_ticks` without any energy and
    `exposure_ticks` without any hygiene. Others move away: after `unpaid_days` of rent in a row, `unemployed_days`
    after losing the job, once a need was below `chronic_level` for `chronic_share` of a day, and after `max_days`.
    A 0 switches a condition off. At most `exits_per_day` leave (0: no limit), `exit_cooldown_ticks` apart, and nobody
    during a perturbation or within its grace window.
    """

    model_config = STRICT
    enabled: bool = True
    mortality: bool = True
    collapse_ticks: Tick = 30
    exposure_ticks: Tick = 720
    unpaid_days: int = Field(default=2, ge=0, le=30)
    unemployed_days: int = Field(default=2, ge=0, le=30)
    chronic_level: Share = 0.02
    chronic_share: Share = 0.25
    max_days: int = Field(default=0, ge=0, le=10_000)
    exits_per_day: int = Field(default=2, ge=0, le=250)
    exit_cooldown_ticks: Tick = 120
    arrivals: Arrivals = Field(default_factory=Arrivals)


class EmbeddingAllocator(BaseModel):
    """The numbers by which networks tell citizens apart: how many there are and how long a freed one rests.

    A rested number is taken first. A share of forced reuses above `reuse_warning_threshold` makes the canary call;
    `log_forced_reuse` writes each one into the event log.
    """

    model_config = STRICT
    max_slots: int = Field(default=MAX_SLOTS, ge=1, le=MAX_SLOTS)
    cooldown_ticks: int = Field(default=2000, ge=0, le=10_000)
    reuse_warning_threshold: float = Field(default=0.05, ge=0.0, le=0.5)
    log_forced_reuse: bool = True
