"""Every figure of the log, worked out by hand from a rollout and an update that are written down here."""

import math

import numpy as np
import pytest

from townlet_core.config import OPTION_NAMES
from townlet_core.policy.ppo.advantages import Spans
from townlet_core.policy.ppo.collecting import Rollout
from townlet_core.policy.ppo.experience import Decided, Experience, Shown
from townlet_core.policy.ppo.measuring import Progress, Scene, measured
from townlet_core.policy.ppo.towns import Rivals
from townlet_core.policy.ppo.updating import MinibatchFigures, Pace, UpdateFigures
from townlet_core.policy.training_log import Timing, UpdateRecord
from townlet_core.world.events import EVENT_NAMES

TIMING = Timing(epoch_duration_sec=2.0, rollout_sec=1.5, update_sec=0.5, steps_per_second=30.0, log_stream_offset=77)
EVENTS = {
    "ghost_step": 5,
    "queue_leave": 2,
    "shared_meal": 3,
    "helped_when_late": 4,
    "took_shift": 6,
    "chat_success": 8,
    "chat_failure": 9,
    "avoidance": 10,
    "outage_begin": 11,
}


def rollout() -> Rollout:
    """Four decisions of two citizens in thirty ticks."""
    decided = Decided(
        row=np.array([0, 1, 0, 1]),
        cells=np.zeros((4, 1), np.uint8),
        features=np.zeros((4, 1), np.float32),
        mask=np.ones((4, 2), np.bool_),
        memory=np.zeros((4, 0), np.float32),
        action=np.zeros(4, np.int64),
        log_prob=np.array([-0.5, -1.5, -1.0, -2.0], np.float32),
        value=np.array([1.0, 2.0, 3.0, 6.0]),
        entropy=np.array([0.2, 0.4, 0.6, 0.8], np.float32),
    )
    spans = Spans(
        reward=np.array([1.0, 2.0, 3.0, 4.0]),
        ticks=np.array([5, 10, 15, 20]),
        value=decided.value,
        following=np.array([2, 3, -1, -1]),
        tail=np.zeros(4),
    )
    return Rollout(
        experience=Experience(decided, spans),
        agent_ticks=60,
        reward=9.0,
        deaths=1,
        figures={
            "return": np.array([2.0, 4.0]),
            "survival": np.array([1.0, 0.5]),
            "attendance": np.array([0.8, 0.6]),
            "needs_ok_share": np.array([0.9, 0.7]),
            "clipped_share": np.array([0.0, 0.02]),
        },
        events=dict.fromkeys(EVENT_NAMES, 0) | EVENTS,
        event_values=dict.fromkeys(EVENT_NAMES, 0.0) | {"queue_leave": 13.0, "chat_success": 4.0, "ghost_step": 99.0},
        completed=dict.fromkeys(OPTION_NAMES, 0) | {"wash": 21, "sleep": 22, "cook": 1},
        scripted=12,
        shown=Shown(*(np.zeros((0, 1)) for _ in Shown._fields)),
        rivals=Rivals(np.array([[0.0, 0.4], [0.2, 0.8]]), np.array([[0.0, 1.0], [0.0, 3.0]])),
    )


def update() -> UpdateFigures:
    """Two minibatches, one of three decisions and one of a single one."""
    big = MinibatchFigures(3, 0.1, 0.2, 0.5, 0.3, 0.01, 0.0, 1.0, 2.0, imitated=8, imitation=0.5)
    small = MinibatchFigures(1, 0.5, 0.6, 0.9, 0.7, 0.05, 1.0, 3.0, 0.0, imitated=2, imitation=1.5)
    returns = np.array([2.0, 4.0, 6.0, 8.0])
    return UpdateFigures([big, small], returns - np.array([1.0, 2.0, 3.0, 6.0]), returns, passes=2, stopped_early=True)


def record(first: UpdateRecord | None = None) -> UpdateRecord:
    """What is written down of both."""
    pace = Pace(7, 0.003, 0.01, critic_only=False)
    scene = Scene("anneal", 3, "C2", True, 30, (0.25, 0.75), first)
    return measured(rollout(), update(), pace, Progress(9, 600, 40), scene, TIMING)


BY_HAND = {
    "data_mode": "anneal",
    "cycle": 3,
    "social_stage": "C2",
    "perturbations": True,
    "capped_share": None,
    "loss_imitation": (8 * 0.5 + 2 * 1.5) / 10,
    "epoch": 7,
    "updates": 9,
    "steps": 600,
    "transitions": 4,
    "transitions_total": 40,
    "rollout_ticks": 30,
    "epochs_run": 2,
    "stopped_early": True,
    "minibatches": 2,
    "loss_policy": (3 * 0.1 + 0.5) / 4,
    "loss_value": (3 * 0.2 + 0.6) / 4,
    "loss_entropy": -(3 * 0.5 + 0.9) / 4,
    "loss_total": (3 * 0.3 + 0.7) / 4,
    "clip_fraction": 0.25,
    "clip_fraction_max": 1.0,
    "clip_triggered_minibatches": 1,
    "adv_mean": (1 + 2 + 3 + 2) / 4,
    "adv_std": math.sqrt(0.5),
    "adv_min_std": 0.0,
    "adv_zero_std_batches": 1,
    "grad_norm": (3 * 1.0 + 3.0) / 4,
    "grad_norm_max": 3.0,
    "kl_divergence": (3 * 0.01 + 0.05) / 4,
    "kl_divergence_max": 0.05,
    "lr": 0.003,
    "entropy_weight": 0.01,
    "critic_only": False,
    "explained_variance": 1 - 0.5 / 5.0,
    "batch_entropy_mean": 0.5,
    "batch_entropy_std": math.sqrt(0.05),
    "reward_advantage_corr": 0.5 / math.sqrt(1.25 * 0.5),
    "span_ticks_mean": 12.5,
    "reward_mean": 9 / 60,
    "baseline_sample_count": 2,
    "baseline_reward_mean": 9 / 60,
    "baseline_reward_sum": 9.0,
    "baseline_reward_sum_mean": 4.5,
    "baseline_log_prob_mean": -1.25,
    "deaths": 1,
    "queue_conflict_events": 7,
    "queue_conflict_intensity_sum": 13.0,
    "shared_meal_events": 3,
    "late_help_events": 4,
    "shift_takeover_events": 6,
    "chat_success_events": 8,
    "chat_failure_events": 9,
    "chat_quality_mean": 0.5,
    "shower_complete_events": 21,
    "sleep_complete_events": 22,
    "utility_outage_events": 11,
    "rivalry_mean": 0.25,
    "rivalry_max": 0.75,
    "avoidance_events": 10,
}
NESTED = {
    "rows": {"lived": 4, "stored": 0, "scripted": 12, "imitated": 10},
    "episodes": {
        "count": 2,
        "return_mean": 3.0,
        "return_std": 1.0,
        "survival": 0.75,
        "attendance": 0.7,
        "needs_ok_share": 0.8,
        "clipped_share": 0.01,
    },
    "conflict": {
        "rivalry_max_mean_avg": 0.35,
        "rivalry_max_max_avg": 0.5,
        "rivalry_avoid_count_mean_avg": 1.0,
        "rivalry_avoid_count_max_avg": 1.5,
    },
}


def test_every_figure_is_what_it_says() -> None:
    found = record().model_dump()
    for name, wanted in BY_HAND.items():
        exact = isinstance(wanted, str) or wanted is None
        assert found[name] == (wanted if exact else pytest.approx(wanted, rel=1e-6)), name
    for section, figures in NESTED.items():
        assert found[section] == pytest.approx(figures, rel=1e-6), section
    labels = {"kind", "schema_version", "events", "completed", "validation", "annealing", "stored", "timing"}
    assert set(found) - set(BY_HAND) - set(NESTED) == labels, "a figure that nobody worked out"


def test_the_baseline_stays_that_of_the_first_update() -> None:
    first = record().model_copy(update={"baseline_reward_mean": -1.0, "baseline_sample_count": 640})
    later = record(first)
    assert (later.baseline_reward_mean, later.baseline_sample_count) == (-1.0, 640)
    assert later.reward_mean == pytest.approx(9 / 60)


def test_what_did_not_happen_is_no_figure() -> None:
    quiet = rollout()._replace(figures={}, events=dict.fromkeys(EVENT_NAMES, 0))
    still = update()._replace(returns=np.ones(4))
    pace = Pace(1, 0.1, 0.0, critic_only=True)
    found = measured(
        quiet, still, pace, Progress(1, 60, 4), Scene("rollout", 0, None, None, 30, (0.0, 0.0), None), TIMING
    )
    assert (found.episodes.count, found.episodes.return_mean) == (0, None)
    assert (found.chat_quality_mean, found.explained_variance) == (None, None)
