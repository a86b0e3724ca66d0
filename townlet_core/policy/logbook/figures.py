"""The figures of a log by the short names that people use, with where each stands in a record."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from townlet_core.config.watch import Watched

Better = Literal["more", "less"]


class Shown(NamedTuple):
    """A figure: its column in an update and in an epoch of cloning (None where it has none), and which way is better.

    `better` is None where neither is; its best value is then not asked for.
    """

    update: str | None
    epoch: str | None = None
    better: Better | None = None


FIGURES: Mapping[Watched, Shown] = {
    "loss": Shown("loss_total", "loss", "less"),
    "policy_loss": Shown("loss_policy"),
    "value_loss": Shown("loss_value", "value_loss", "less"),
    "imitation_loss": Shown("loss_imitation"),
    "validation_loss": Shown(None, "validation_loss", "less"),
    "accuracy": Shown(None, "accuracy", "more"),
    "kl": Shown("kl_divergence"),
    "clip": Shown("clip_fraction"),
    "grad": Shown("grad_norm"),
    "entropy": Shown("batch_entropy_mean"),
    "reward_corr": Shown("reward_advantage_corr"),
    "explained_variance": Shown("explained_variance", None, "more"),
    "reward": Shown("reward_mean", None, "more"),
    "return": Shown("episodes.return_mean", None, "more"),
    "survival": Shown("episodes.survival", None, "more"),
    "attendance": Shown("episodes.attendance", None, "more"),
    "validated_return": Shown("validation.return_mean", None, "more"),
    "stored_agreement": Shown("stored.agreement", None, "more"),
    "teacher_share": Shown("annealing.ratio"),
    "deaths": Shown("deaths", None, "less"),
    "queue_events": Shown("queue_conflict_events", None, "less"),
    "queue_intensity": Shown("queue_conflict_intensity_sum", None, "less"),
    "shared_meal": Shown("shared_meal_events"),
    "late_help": Shown("late_help_events"),
    "shift_takeover": Shown("shift_takeover_events"),
    "chat_quality": Shown("chat_quality_mean", None, "more"),
    "chat_failure": Shown("chat_failure_events", None, "less"),
    "shower_complete": Shown("shower_complete_events"),
    "sleep_complete": Shown("sleep_complete_events"),
    "utility_outage": Shown("utility_outage_events"),
    "rivalry": Shown("conflict.rivalry_max_mean_avg", None, "less"),
    "seconds": Shown("timing.epoch_duration_sec", "epoch_duration_sec", "less"),
    "speed": Shown("timing.steps_per_second", None, "more"),
}


def column_of(name: Watched, kind: str) -> str | None:
    """Where a figure stands in a record of a kind (`update` or `epoch`); None where it has no such figure."""
    shown = FIGURES[name]
    return shown.epoch if kind == "epoch" else shown.update
