"""What becomes of the earlier keys that say how towns are run, told of, judged and trained."""

from typing import Any

from townlet_core.config.legacy.rules import Rule, UndecidedError, carried, elsewhere, meaningless, moved, undecided

TELEMETRY, SNAPSHOTS, GATES = "configs/telemetry.yaml", "configs/snapshots.yaml", "configs/gates.yaml"
CONSOLE, TRAINING = "configs/console.yaml", "configs/training/quick.yaml"


def _tile(position: Any) -> Any:
    """Places were written as [x, y]; a tile is [row, column]."""
    if not isinstance(position, list) or len(position) != 2:
        raise UndecidedError("a place is two whole numbers; write tile: [row, column]")
    return position[::-1]


RUNS = (
    meaningless("seed", "the seed belongs to a run: townlet simulate --seed"),
    meaningless("policy_hash", "a snapshot carries the digest of the policy that acted"),
    elsewhere("features.console.mode", CONSOLE, "mode"),
    undecided("world.grid_size", "the map decides the size; draw one, or keep configs/maps/default.yaml"),
    meaningless("world.weather_seed", "weather draws on the town's own stream, so a run has one seed"),
    undecided(
        "affordances.affordances_file",
        "translate that file with townlet config migrate, name it under 'affordances', add the prices of its report",
    ),
    meaningless("affordances.runtime.factory", "uses run in the engine; hooks are where code can be added"),
    meaningless("affordances.runtime.instrumentation", "make bench measures the engine"),
    meaningless("affordances.runtime.options", "it configured the factory"),
)

LEARNING = (
    *moved(
        "ppo",
        "ppo",
        "max_grad_norm",
        file=TRAINING,
        clip_param="clip",
        value_loss_coef="value_weight",
        num_epochs="epochs",
        mini_batch_size="minibatch",
        learning_rate="learning_rate.start",
        entropy_coef="entropy.start",
    ),
    elsewhere("ppo.gae_lambda", TRAINING, "ppo.trace", "per decision, not per tick"),
    elsewhere("ppo.gamma", TRAINING, "discount"),
    elsewhere("ppo.value_clip", TRAINING, "ppo.value_clip", "in standard deviations of the return"),
    meaningless("ppo.advantage_normalization", "advantages are always normalised"),
    meaningless("ppo.num_mini_batches", "ppo.minibatch says how large they are"),
    elsewhere("training.source", TRAINING, "mode", "each mode reads sections of its own"),
    *moved("training.bc", "", "learning_rate", "batch_size", "epochs", "weight_decay", file=TRAINING),
    meaningless("training.bc.device", "the fastest device that is there is taken"),
    meaningless("training.bc.manifest", "a training names a dataset version of the catalogue"),
    meaningless("training.replay_manifest", "a training names a dataset version of the catalogue"),
    meaningless("training.rollout_ticks", "a scenario's capture.days says how long towns live"),
    meaningless("training.rollout_auto_seed_agents", "a town always has its citizens"),
    elsewhere("training.anneal_accuracy_threshold", GATES, "cloning.min_accuracy"),
    meaningless("training.anneal_enable_policy_blend", "mode `anneal` says who acts"),
    undecided("training.anneal_schedule", "see the section `anneal` of configs/training/anneal.yaml"),
    elsewhere("training.social_reward_schedule", TRAINING, "ppo.social_stages"),
    elsewhere("training.social_reward_stage_override", TRAINING, "ppo.social_stages", "an entry for cycle 0"),
)

TOLD = (
    elsewhere("telemetry.transport.type", TELEMETRY, "transport.target", "stdout, a path, or tcp://HOST:PORT"),
    elsewhere("telemetry.transport.endpoint", TELEMETRY, "transport.target", "as tcp://HOST:PORT"),
    elsewhere("telemetry.transport.file_path", TELEMETRY, "transport.target"),
    *moved("telemetry.transport", "transport", "connect_timeout", "send_timeout", "allow_plaintext", file=TELEMETRY),
    *moved(
        "telemetry.transport", "transport.tls", "verify_hostname", "ca_file", "cert_file", "key_file", file=TELEMETRY
    ),
    meaningless("telemetry.transport.enable_tls", "TCP is under TLS unless transport.allow_plaintext is true"),
    *moved("telemetry.transport.retry", "retry", "max_attempts", "backoff_seconds", file=TELEMETRY),
    *moved(
        "telemetry.transport.buffer", "buffer", file=TELEMETRY, max_batch_size="max_batch", max_buffer_bytes="max_bytes"
    ),
    elsewhere("telemetry.transport.buffer.flush_interval_ticks", TELEMETRY, "frames.every_ticks", "it was never read"),
    meaningless("telemetry.transport.worker_poll_seconds", "the sender wakes when there is something to send"),
    elsewhere(
        "telemetry.narration.category_cooldown_ticks",
        TELEMETRY,
        "narration.category_cooldown_ticks",
        "queue_conflict is queue here",
    ),
    elsewhere("telemetry.narration.*", TELEMETRY, "narration.*"),
    meaningless(
        "telemetry.relationship_narration.*",
        "friendships and quarrels are told when ties form and rivals avoid each other",
    ),
)

WATCHED = (
    elsewhere(
        "stability.affordance_fail_threshold",
        TELEMETRY,
        "canaries.affordance_failures.max",
        "per citizen and window, not per tick",
    ),
    elsewhere(
        "stability.lateness_threshold",
        TELEMETRY,
        "canaries.lateness_spike.max",
        "minutes per shift, not summed over citizens",
    ),
    *moved(
        "stability.starvation",
        "canaries.starvation",
        "max_incidents",
        file=TELEMETRY,
        window="window_ticks",
        hunger_threshold="hunger",
        min_duration="min_ticks",
    ),
    elsewhere(
        "stability.reward_variance.max",
        TELEMETRY,
        "canaries.reward_variance.max",
        "of rewards that no clip saturates: far smaller",
    ),
    *moved(
        "stability.reward_variance", "canaries.reward_variance", "min_samples", file=TELEMETRY, window="window_ticks"
    ),
    *moved(
        "stability.option_thrash",
        "canaries.option_thrash",
        "min_samples",
        file=TELEMETRY,
        window="window_ticks",
        max_switch_rate="max",
    ),
    elsewhere("stability.promotion.required_passes", GATES, "comparison.windows"),
    elsewhere("stability.promotion.window_ticks", GATES, "comparison.days", "in whole days"),
    elsewhere("stability.promotion.allowed_alerts", GATES, "comparison.canaries.allowed", "by the names of canaries"),
)

KEPT = (
    *moved("snapshot.storage", "", "root", file=SNAPSHOTS),
    *moved("snapshot.autosave", "autosave", "cadence_ticks", "retain", file=SNAPSHOTS),
    meaningless("snapshot.identity.*", "a snapshot writes down what it is by itself"),
    meaningless("snapshot.migrations.*", "migrations are registered in code; no file names code to run"),
    *moved(
        "snapshot.guardrails", "guardrails", "require_exact_config", "allow_downgrade", "allowed_paths", file=SNAPSHOTS
    ),
    *moved("console_auth", "auth", "enabled", file=CONSOLE, require_auth_for_viewer="require_for_viewer"),
    undecided(
        "console_auth.tokens", f"write them into {CONSOLE}, each as label, role and token_env; they are not shown here"
    ),
)

SCENES = (
    meaningless("scenario.description", "it is kept as a comment"),
    undecided("scenario.ticks", "towns live whole days: clock.episode_days, or townlet simulate --days"),
    undecided("scenario.objects.*", "draw it on a map of its own; objects stand where the map shows them"),
    meaningless("scenario.agents.*.id", "citizens are agent_1, agent_2, … in every town"),
    carried("scenario.agents.*.position", "opening.citizens.agent_*.tile", _tile, "row and column, on today's map"),
    *moved("scenario.agents.*", "opening.citizens.agent_*", "needs", "wallet", "personality"),
    meaningless("scenario.agents.*.job", "citizens take the openings of the jobs in order"),
    meaningless(
        "scenario.agents.*.schedule", "citizens choose for themselves; possess one from the console to lead it"
    ),
    meaningless("scenario.agents.*.home_position", "one lives where one's bed stands"),
)

OTHER_RULES: tuple[Rule, ...] = (*RUNS, *LEARNING, *TOLD, *WATCHED, *KEPT, *SCENES)
"""Rules about keys that are not the town's; the first that fits a key holds."""
