"""What becomes of the earlier keys that decide how a town lives."""

from typing import Any

from townlet_core.config.legacy.people import LONGEST_WAY
from townlet_core.config.legacy.rules import Rule, UndecidedError, carried, meaningless, moved, undecided

PIECES_PER_PURCHASE = 4
"""Ingredients that one purchase of the shipped manifest gives; the earlier price was for one."""
BUILT_IN_HOOKS = "townlet.world.hooks"
"""The package of the hooks that came with the earlier system."""


def _stage(value: Any) -> Any:
    """Stages C1 to C3 of relationships were those of the social rewards, over ties as in B."""
    stage = "OFF" if value is False else value
    return "B" if stage in ("C1", "C2", "C3") else stage


def _purchase(price: Any) -> Any:
    return round(PIECES_PER_PURCHASE * price, 9) if isinstance(price, int | float) else price


def _whole_day(ticks: Any) -> Any:
    if ticks != 1440:
        raise UndecidedError(f"a day of {ticks} ticks moves every shift and opening hour; set clock.ticks_per_day")
    return ticks


def _allowed(modules: Any) -> Any:
    """Built-in hooks are part of the engine now: nobody has to allow them."""
    return [module for module in modules if not str(module).startswith(BUILT_IN_HOOKS)] if modules else []


def _is_on(value: Any) -> Any:
    """YAML reads an unquoted `on` as true already."""
    return value == "on" if isinstance(value, str) else value


def _exactly(ticks: Any) -> Any:
    """A newcomer is announced in one tick and comes in a later one."""
    return [max(1, ticks)] * 2 if isinstance(ticks, int) else ticks


def _at_least_the_way(ticks: Any) -> Any:
    return max(ticks, LONGEST_WAY) if isinstance(ticks, int) else ticks


FEATURES = (
    carried("config_id", "config_id", why="the observation variant and a number are added"),
    carried("features.stages.relationships", "stages.relationships", _stage, "C1 to C3 mean B here"),
    carried("features.stages.social_rewards", "stages.social_rewards"),
    carried("features.systems.observations", "observations.variant"),
    carried("features.relationship_modifiers", "relationships.personality_matters"),
)

REWARDS = (
    carried("rewards.needs_weights.*", "rewards.needs_weights.*"),
    carried("rewards.decay_rates.*", "needs.decay_per_tick.*"),
    *moved("rewards", "rewards", "punctuality_bonus", "wage_rate", "survival_tick", "faint_penalty"),
    *moved(
        "rewards.social",
        "rewards.social",
        C1_chat_base="chat_base",
        C1_coeff_trust="coeff_trust",
        C1_coeff_fam="coeff_familiarity",
        C2_avoid_conflict="avoid_conflict",
    ),
    carried("shaping.use_potential", "rewards.shaping.use_potential", why="the potential is of needs and savings"),
    carried("features.training.curiosity", "rewards.curiosity.phase"),
    *moved("curiosity", "rewards.curiosity", "decay_by_milestone", phase_A_weight="weight"),
    *moved("rewards.clip", "rewards.clip", "clip_per_tick", "clip_per_episode", "no_positive_within_death_ticks"),
)

MONEY = (
    carried("economy.meal_cost", "economy.prices.meal", why="the price of a meal at the café"),
    carried("economy.ingredients_cost", "economy.prices.groceries", _purchase, "the price of a purchase of four"),
    undecided("economy.cook_energy_cost", "set effects.energy of cook_meal in the affordance manifest"),
    undecided("economy.cook_hygiene_cost", "set effects.hygiene of cook_meal in the affordance manifest"),
    meaningless("economy.wage_income", "wages are jobs.*.wage_rate"),
    meaningless("economy.stove_stock_replenish", "ingredients are bought and carried home; a stove holds none"),
    meaningless("economy.*", "prices are named by the affordances that ask them"),
    carried("jobs.*.start_tick", "jobs.*.start_tick", why="a tick of every day"),
    carried("jobs.*.end_tick", "jobs.*.end_tick", why="a tick of every day"),
    *moved("jobs.*", "jobs.*", "wage_rate", "lateness_penalty"),
    meaningless("jobs.*.location", "work is done at an object of the map, jobs.*.workplace"),
    *moved("employment", "employment", "grace_ticks", "absent_cutoff", "late_tick_penalty", "attendance_window"),
    meaningless("employment.enforce_job_loop", "shifts are always kept"),
)

COMPANY = (
    carried("queue_fairness.cooldown_ticks", "queues.cooldown_ticks"),
    carried("queue_fairness.ghost_step_after", "queues.ghost_step_after", why="passes walkers; no use is broken off"),
    carried(
        "queue_fairness.age_priority_weight", "queues.age_priority_weight", why="per tick waited in vain, anywhere"
    ),
    carried("conflict.rivalry.increment_per_conflict", "relationships.conflict.increment"),
    carried("conflict.rivalry.decay_per_tick", "relationships.fade_per_tick.rivalry"),
    meaningless("conflict.rivalry.min_value", "rivalry is 0 to 1"),
    meaningless("conflict.rivalry.max_value", "rivalry is 0 to 1"),
    *moved(
        "conflict.rivalry", "relationships", "avoid_threshold", eviction_threshold="forget_below", max_edges="max_ties"
    ),
    carried(
        "conflict.rivalry.ghost_step_boost",
        "relationships.conflict.ghost_boost",
        why="of passing who stands in the way",
    ),
    meaningless("conflict.rivalry.handover_boost", "nothing read it; a handover makes friends"),
    carried("conflict.rivalry.queue_length_boost", "relationships.conflict.queue_boost", why="per head that waits on"),
)

COMINGS = (
    carried("features.systems.lifecycle", "lifecycle.enabled", _is_on, "nobody leaves or comes where it is off"),
    carried("rewards.eviction_penalty", "rewards.eviction_penalty"),
    carried("lifecycle.respawn_delay_ticks", "lifecycle.arrivals.delay_ticks", _exactly, "drawn from a range here"),
    carried("embedding_allocator.cooldown_ticks", "embedding_allocator.cooldown_ticks"),
    carried("embedding_allocator.reuse_warning_threshold", "embedding_allocator.reuse_warning_threshold"),
    carried("embedding_allocator.log_forced_reuse", "embedding_allocator.log_forced_reuse"),
    carried("embedding_allocator.max_slots", "embedding_allocator.max_slots"),
    carried("employment.absence_slack", "employment.absence_slack"),
    carried("employment.absence_penalty", "employment.absence_penalty"),
    carried("employment.max_absent_shifts", "employment.max_absent_shifts"),
    carried("employment.daily_exit_cap", "employment.daily_exit_cap"),
    carried("employment.exit_queue_limit", "employment.exit_queue_limit"),
    carried("employment.exit_review_window", "employment.exit_review_window"),
)

HOOKS = (
    carried(
        "affordances.runtime.hook_allowlist", "hooks.allow", _allowed, "modules of functions that affordances name"
    ),
    carried("affordances.runtime.allow_env_hooks", "hooks.allow_env"),
)

DISTURBANCES = (carried("perturbations", "perturbations", why="each of its keys, and each event"),)

CHOICES = (
    *moved("observations_config.hybrid", "observations", "local_window", "include_targets"),
    *moved(
        "observations_config.social_snippet",
        "observations.social_snippet",
        "top_friends",
        "top_rivals",
        "include_aggregates",
    ),
    meaningless("observations_config.social_snippet.embed_dim", "a friend is a slot with ties, not a hash of a name"),
    carried("observations_config.hybrid.time_ticks_per_day", "clock.ticks_per_day", _whole_day),
    carried(
        "behavior.job_arrival_buffer",
        "employment.pre_shift_ticks",
        _at_least_the_way,
        "from when one may set out for work; 60 or more, for ways are longer here",
    ),
    meaningless("behavior.*", "a need is a matter of degree to the teacher, and to a policy"),
    undecided(
        "policy_runtime.option_commit_ticks",
        "an option ends when it is fulfilled; options.commit_ticks is the longest that it may take, with the way",
    ),
)

TOWN_RULES: tuple[Rule, ...] = (*FEATURES, *REWARDS, *MONEY, *COMPANY, *CHOICES, *HOOKS, *DISTURBANCES, *COMINGS)
"""Rules about keys of a town; the first that fits a key holds."""
