"""What becomes of the earlier keys that say how towns are run, told of, judged and trained."""

from typing import Any

from townlet_core.config.legacy.rules import Rule, UndecidedError, carried, elsewhere, meaningless, undecided

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
        "translate that file with townlet config migrate, then name it under 'affordances'",
    ),
    meaningless("affordances.runtime.factory", "uses run in the engine; hooks are where code can be added"),
    meaningless("affordances.runtime.instrumentation", "make bench measures the engine"),
    meaningless("affordances.runtime.options", "it configured the factory"),
)

LEARNING = (
    elsewhere("ppo.learning_rate", TRAINING, "ppo.learning_rate.start"),
    elsewhere("ppo.clip_param", TRAINING, "ppo.clip"),
    elsewhere("ppo.value_loss_coef", TRAINING, "ppo.value_weight"),
    elsewhere("ppo.entropy_coef", TRAINING, "ppo.entropy.start"),
    elsewhere("ppo.num_epochs", TRAINING, "ppo.epochs"),
    elsewhere("ppo.mini_batch_size", TRAINING, "ppo.minibatch"),
    elsewhere("ppo.gae_lambda", TRAINING, "ppo.trace", "per decision, not per tick"),
    elsewhere("ppo.gamma", TRAINING, "discount"),
    elsewhere("ppo.max_grad_norm", TRAINING, "ppo.max_grad_norm"),
    elsewhere("ppo.value_clip", TRAINING, "ppo.value_clip", "in standard deviations of the return"),
    meaningless("ppo.advantage_normalization", "advantages are always normalised"),
    meaningless("ppo.num_mini_batches", "ppo.minibatch says how large they are"),
    meaningless("training.source", "each way to learn is a command and a stage of its own"),
    elsewhere("training.bc.learning_rate", TRAINING, "learning_rate"),
    elsewhere("training.bc.batch_size", TRAINING, "batch_size"),
    elsewhere("training.bc.epochs", TRAINING, "epochs"),
    elsewhere("training.bc.weight_decay", TRAINING, "weight_decay"),
    meaningless("training.bc.device", "the fastest device that is there is taken"),
    meaningless("training.bc.manifest", "a training names a dataset version of the catalogue"),
    meaningless("training.replay_manifest", "a training names a dataset version of the catalogue"),
    meaningless("training.rollout_ticks", "a scenario's capture.days says how long towns live"),
    meaningless("training.rollout_auto_seed_agents", "a town always has its citizens"),
    elsewhere("training.anneal_accuracy_threshold", GATES, "cloning.min_accuracy"),
    meaningless("training.anneal_enable_policy_blend", "the annealing profile says who acts"),
    undecided("training.anneal_schedule", "write a training profile below configs/training"),
    undecided("training.social_reward_schedule", "a stage of social rewards belongs to a town: stages.social_rewards"),
    undecided("training.social_reward_stage_override", "set stages.social_rewards of the town that is trained in"),
)

TOLD = (
    elsewhere("telemetry.transport.type", TELEMETRY, "transport.target", "stdout, a path, or tcp://HOST:PORT"),
    elsewhere("telemetry.transport.endpoint", TELEMETRY, "transport.target", "as tcp://HOST:PORT"),
    elsewhere("telemetry.transport.file_path", TELEMETRY, "transport.target"),
    elsewhere("telemetry.transport.connect_timeout", TELEMETRY, "transport.connect_timeout"),
    elsewhere("telemetry.transport.send_timeout", TELEMETRY, "transport.send_timeout"),
    meaningless("telemetry.transport.enable_tls", "TCP is under TLS unless transport.allow_plaintext is true"),
    elsewhere("telemetry.transport.allow_plaintext", TELEMETRY, "transport.allow_plaintext"),
    elsewhere("telemetry.transport.verify_hostname", TELEMETRY, "transport.tls.verify_hostname"),
    elsewhere("telemetry.transport.ca_file", TELEMETRY, "transport.tls.ca_file"),
    elsewhere("telemetry.transport.cert_file", TELEMETRY, "transport.tls.cert_file"),
    elsewhere("telemetry.transport.key_file", TELEMETRY, "transport.tls.key_file"),
    elsewhere("telemetry.transport.retry.max_attempts", TELEMETRY, "retry.max_attempts"),
    elsewhere("telemetry.transport.retry.backoff_seconds", TELEMETRY, "retry.backoff_seconds"),
    elsewhere("telemetry.transport.buffer.max_batch_size", TELEMETRY, "buffer.max_batch"),
    elsewhere("telemetry.transport.buffer.max_buffer_bytes", TELEMETRY, "buffer.max_bytes"),
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
    elsewhere("stability.starvation.window", TELEMETRY, "canaries.starvation.window_ticks"),
    elsewhere("stability.starvation.max_incidents", TELEMETRY, "canaries.starvation.max_incidents"),
    elsewhere("stability.starvation.hunger_threshold", TELEMETRY, "canaries.starvation.hunger"),
    elsewhere("stability.starvation.min_duration", TELEMETRY, "canaries.starvation.min_ticks"),
    elsewhere("stability.reward_variance.window", TELEMETRY, "canaries.reward_variance.window_ticks"),
    elsewhere(
        "stability.reward_variance.max",
        TELEMETRY,
        "canaries.reward_variance.max",
        "of rewards that no clip saturates: far smaller",
    ),
    elsewhere("stability.reward_variance.min_samples", TELEMETRY, "canaries.reward_variance.min_samples"),
    elsewhere("stability.option_thrash.window", TELEMETRY, "canaries.option_thrash.window_ticks"),
    elsewhere("stability.option_thrash.max_switch_rate", TELEMETRY, "canaries.option_thrash.max"),
    elsewhere("stability.option_thrash.min_samples", TELEMETRY, "canaries.option_thrash.min_samples"),
    elsewhere("stability.promotion.required_passes", GATES, "comparison.windows"),
    elsewhere("stability.promotion.window_ticks", GATES, "comparison.days", "in whole days"),
    elsewhere("stability.promotion.allowed_alerts", GATES, "comparison.canaries.allowed", "by the names of canaries"),
)

KEPT = (
    elsewhere("snapshot.storage.root", SNAPSHOTS, "root"),
    elsewhere("snapshot.autosave.cadence_ticks", SNAPSHOTS, "autosave.cadence_ticks"),
    elsewhere("snapshot.autosave.retain", SNAPSHOTS, "autosave.retain"),
    meaningless("snapshot.identity.*", "a snapshot writes down what it is by itself"),
    meaningless("snapshot.migrations.*", "migrations are registered in code; no file names code to run"),
    elsewhere("snapshot.guardrails.require_exact_config", SNAPSHOTS, "guardrails.require_exact_config"),
    elsewhere("snapshot.guardrails.allow_downgrade", SNAPSHOTS, "guardrails.allow_downgrade"),
    elsewhere("snapshot.guardrails.allowed_paths", SNAPSHOTS, "guardrails.allowed_paths"),
    elsewhere("console_auth.enabled", CONSOLE, "auth.enabled"),
    elsewhere("console_auth.require_auth_for_viewer", CONSOLE, "auth.require_for_viewer"),
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
    carried("scenario.agents.*.needs", "opening.citizens.agent_*.needs"),
    carried("scenario.agents.*.wallet", "opening.citizens.agent_*.wallet"),
    carried("scenario.agents.*.personality", "opening.citizens.agent_*.personality"),
    meaningless("scenario.agents.*.job", "citizens take the openings of the jobs in order"),
    meaningless(
        "scenario.agents.*.schedule", "citizens choose for themselves; possess one from the console to lead it"
    ),
    meaningless("scenario.agents.*.home_position", "one lives where one's bed stands"),
)

OTHER_RULES: tuple[Rule, ...] = (*RUNS, *LEARNING, *TOLD, *WATCHED, *KEPT, *SCENES)
"""Rules about keys that are not the town's; the first that fits a key holds."""
