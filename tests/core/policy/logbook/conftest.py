"""Logs written by hand: records whose figures a test chooses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from townlet_core.policy.training_figures import ConflictFigures, RowsUsed
from townlet_core.policy.training_log import (
    LOG_FILE,
    EndRecord,
    EpisodeFigures,
    EpochRecord,
    Timing,
    UpdateRecord,
    Validation,
)

TIMING = Timing(epoch_duration_sec=2.0, rollout_sec=1.5, update_sec=0.5, steps_per_second=500.0, log_stream_offset=0)
EPISODES = EpisodeFigures(
    count=4,
    return_mean=2.0,
    return_std=0.5,
    survival=1.0,
    attendance=0.9,
    needs_ok_share=0.8,
    clipped_share=0.0,
)
CONFLICT = ConflictFigures(
    rivalry_max_mean_avg=0.1, rivalry_max_max_avg=0.2, rivalry_avoid_count_mean_avg=0.0, rivalry_avoid_count_max_avg=1.0
)
VALIDATION = Validation(
    towns=8,
    return_mean=2.5,
    survival=1.0,
    attendance=0.9,
    teacher_return_mean=2.0,
    clone_return_mean=1.9,
    held=True,
)
WHOLE = {
    "stopped_early": False,
    "critic_only": False,
    "events": {"ghost_step": 3, "chat_success": 2},
    "completed": {"wash": 4, "sleep": 5},
    "episodes": EPISODES,
    "conflict": CONFLICT,
    "rows": RowsUsed(lived=1, stored=0, scripted=0, imitated=0),
    "data_mode": "rollout",
    "timing": TIMING,
}
HEALTHY = {
    "updates": 20,
    "steps": 1000,
    "loss_total": 0.01,
    "kl_divergence": 0.005,
    "clip_fraction": 0.05,
    "grad_norm": 0.5,
    "batch_entropy_mean": 0.15,
    "explained_variance": 0.9,
    "reward_advantage_corr": 0.1,
    "reward_mean": 0.002,
}


def update(epoch: int, **changes: Any) -> UpdateRecord:
    """A healthy update with some figures changed; `return_mean` and `steps_per_second` reach into their parts."""
    inner = {"return_mean": ("episodes", EPISODES), "steps_per_second": ("timing", TIMING)}
    for name in list(changes):
        if name in inner:
            part, base = inner[name]
            changes[part] = base.model_copy(update={name: changes.pop(name)})
    counted = {name: 1 for name in UpdateRecord.model_fields if name not in {*WHOLE, "kind", "schema_version"}}
    absent = dict.fromkeys(("social_stage", "perturbations", "loss_imitation", "validation", "annealing", "stored"))
    fields = counted | absent | WHOLE | HEALTHY | {"epoch": epoch} | changes
    return UpdateRecord(**fields)


def epoch(number: int, **changes: Any) -> EpochRecord:
    """An epoch of a clone."""
    figures = {"loss": 0.4, "value_loss": 0.3, "validation_loss": 0.5, "accuracy": 0.9, "epoch_duration_sec": 1.5}
    return EpochRecord(epoch=number, updates=30, **(figures | changes))


def end(number: int, reason: str | None = None) -> EndRecord:
    """The last line."""
    return EndRecord(outcome="stopped" if reason else "finished", reason=reason, epoch=number, seconds=60.0)


def line(record: Any, **changes: Any) -> bytes:
    """A record as a line of a log, with keys laid over it that need not be right."""
    document = record.model_dump(mode="json")
    for key, value in changes.items():
        part, _, rest = key.partition("__")
        if rest:
            document[part][rest] = value
        else:
            document[part] = value
    return json.dumps(document).encode() + b"\n"


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write records or lines as a log and give its path."""

    def log(*records: Any) -> Path:
        lines = [record if isinstance(record, bytes) else line(record) for record in records]
        (tmp_path / LOG_FILE).write_bytes(b"".join(lines))
        return tmp_path / LOG_FILE

    return log
