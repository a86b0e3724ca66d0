"""Turning a rollout and an update into the record that the log keeps."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.policy.ppo.collecting import Rollout
from townlet_core.policy.ppo.towns import Rivals
from townlet_core.policy.ppo.updating import Pace, UpdateFigures
from townlet_core.policy.training_figures import ConflictFigures, LearnsFrom, RowsUsed, Stage
from townlet_core.policy.training_log import EpisodeFigures, Timing, UpdateRecord

JAMS = ("ghost_step", "queue_leave")
BASELINE = "baseline_"
MEANS = ("survival", "attendance", "needs_ok_share", "clipped_share")


class Progress(NamedTuple):
    """How far a training has come: updates in all, agent-steps and decisions since it began."""

    updates: int
    steps: int
    transitions: int


class Scene(NamedTuple):
    """What the record needs beside rollout and update.

    Attributes:
        mode: what the training learns from.
        cycle: the update's cycle.
        social_stage: stage of social rewards, where a schedule says so.
        perturbations: whether they happen by chance, where a schedule says so.
        ticks: length of the rollout.
        rivalry: mean and largest rivalry at its end.
        first: the record of the first update, None while that one is measured: what the training is compared with.
    """

    mode: LearnsFrom
    cycle: int
    social_stage: Stage | None
    perturbations: bool | None
    ticks: int
    rivalry: tuple[float, float]
    first: UpdateRecord | None


def measured(
    rollout: Rollout, figures: UpdateFigures, pace: Pace, progress: Progress, scene: Scene, timing: Timing
) -> UpdateRecord:
    """The record of one update; every figure is measured here or was measured while it ran."""
    imitated = sum(one.imitated for one in figures.minibatches)
    own = rollout.experience.size
    stored, shown = (imitated, 0) if scene.mode == "mixed" else (0, imitated)
    return UpdateRecord(
        data_mode=scene.mode,
        rows=RowsUsed(lived=own, stored=stored, scripted=rollout.scripted, imitated=shown),
        cycle=scene.cycle,
        social_stage=scene.social_stage,
        perturbations=scene.perturbations,
        epoch=pace.update,
        updates=progress.updates,
        steps=progress.steps,
        transitions=own,
        transitions_total=progress.transitions,
        rollout_ticks=scene.ticks,
        lr=pace.learning_rate,
        entropy_weight=pace.entropy_weight,
        critic_only=pace.critic_only,
        rivalry_mean=scene.rivalry[0],
        rivalry_max=scene.rivalry[1],
        timing=timing,
        **_baseline(rollout, scene),
        **_learnt(figures),
        **_choices(rollout, figures),
        **_lived(rollout),
    )


def baseline_of(first: UpdateRecord) -> dict[str, Any]:
    """What every later record repeats of the first one: how the training began."""
    return {name: getattr(first, name) for name in UpdateRecord.model_fields if name.startswith(BASELINE)}


def _baseline(rollout: Rollout, scene: Scene) -> dict[str, Any]:
    if scene.first is not None:
        return baseline_of(scene.first)
    samples = rollout.agent_ticks // scene.ticks
    return {
        "baseline_sample_count": samples,
        "baseline_reward_mean": rollout.reward / rollout.agent_ticks,
        "baseline_reward_sum": rollout.reward,
        "baseline_reward_sum_mean": rollout.reward / samples,
        "baseline_log_prob_mean": float(rollout.experience.decided.log_prob.mean(dtype=np.float64)),
    }


def _learnt(figures: UpdateFigures) -> dict[str, Any]:
    columns = {name: np.array(column) for name, column in _columns(figures).items()}
    weights = columns["rows"] / columns["rows"].sum()
    mean = {name: float(column @ weights) for name, column in columns.items()}
    imitated = columns["imitated"].sum()
    return {
        "epochs_run": figures.passes,
        "stopped_early": figures.stopped_early,
        "minibatches": len(figures.minibatches),
        "loss_policy": mean["policy"],
        "loss_value": mean["value"],
        "loss_entropy": -mean["entropy"],
        "loss_total": mean["total"],
        "loss_imitation": float(columns["imitation"] @ columns["imitated"] / imitated) if imitated else None,
        "clip_fraction": mean["clipped"],
        "clip_fraction_max": float(columns["clipped"].max()),
        "clip_triggered_minibatches": int((columns["clipped"] > 0).sum()),
        "capped_share": None,
        "adv_mean": float(figures.advantages.mean()),
        "adv_std": float(figures.advantages.std()),
        "adv_min_std": float(columns["advantage_deviation"].min()),
        "adv_zero_std_batches": int((columns["advantage_deviation"] == 0).sum()),
        "grad_norm": mean["gradient"],
        "grad_norm_max": float(columns["gradient"].max()),
        "kl_divergence": mean["divergence"],
        "kl_divergence_max": float(columns["divergence"].max()),
    }


def _columns(figures: UpdateFigures) -> Mapping[str, list[float]]:
    names = figures.minibatches[0]._fields
    return {name: [float(getattr(one, name)) for one in figures.minibatches] for name in names}


def _choices(rollout: Rollout, figures: UpdateFigures) -> dict[str, Any]:
    decided, spans = rollout.experience.decided, rollout.experience.spans
    spread = float(figures.returns.var())
    unknown = float((figures.returns - spans.value).var())
    return {
        "explained_variance": 1.0 - unknown / spread if spread > 0 else None,
        "batch_entropy_mean": float(decided.entropy.mean(dtype=np.float64)),
        "batch_entropy_std": float(decided.entropy.std(dtype=np.float64)),
        "reward_advantage_corr": correlation(spans.reward, figures.advantages),
        "span_ticks_mean": float(spans.ticks.mean()),
    }


def _lived(rollout: Rollout) -> dict[str, Any]:
    events, values = rollout.events, rollout.event_values
    chats = events["chat_success"]
    return {
        "reward_mean": rollout.reward / rollout.agent_ticks,
        "deaths": rollout.deaths,
        "episodes": _episodes(rollout.figures),
        "events": events,
        "completed": rollout.completed,
        "shower_complete_events": rollout.completed["wash"],
        "sleep_complete_events": rollout.completed["sleep"],
        "utility_outage_events": events["outage_begin"],
        "conflict": _conflict(rollout.rivals),
        "queue_conflict_events": sum(events[name] for name in JAMS),
        "queue_conflict_intensity_sum": values["queue_leave"],
        "shared_meal_events": events["shared_meal"],
        "late_help_events": events["helped_when_late"],
        "shift_takeover_events": events["took_shift"],
        "chat_success_events": chats,
        "chat_failure_events": events["chat_failure"],
        "chat_quality_mean": values["chat_success"] / chats if chats else None,
        "avoidance_events": events["avoidance"],
    }


def _conflict(rivals: Rivals) -> ConflictFigures:
    strongest, avoided = rivals
    return ConflictFigures(
        rivalry_max_mean_avg=float(strongest.mean()),
        rivalry_max_max_avg=float(strongest.max(axis=0).mean()),
        rivalry_avoid_count_mean_avg=float(avoided.mean()),
        rivalry_avoid_count_max_avg=float(avoided.max(axis=0).mean()),
    )


def _episodes(figures: Mapping[str, NDArray[np.float64]]) -> EpisodeFigures:
    returns = figures.get("return", np.zeros(0))
    means = {name: float(figures[name].mean()) if returns.size else None for name in MEANS}
    return EpisodeFigures(
        count=returns.size,
        return_mean=float(returns.mean()) if returns.size else None,
        return_std=float(returns.std()) if returns.size else None,
        **means,
    )


def correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Of two figures of the same decisions; None where one of them does not vary."""
    if one.std() == 0 or other.std() == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])
