"""What an improvement begins with and gives, whichever mode it learns by, and what of it the event files show."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import TownConfig, config_digest, digest
from townlet_core.config.training import TrainingProfile
from townlet_core.errors import InputError
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.decisions import DecisionSource
from townlet_core.policy.layouts import require_same_layout
from townlet_core.policy.network import PolicyNetwork
from townlet_core.policy.training_figures import CloneScore
from townlet_core.policy.training_log import UpdateRecord
from townlet_core.sources import ENGINE, source_digest

CHECKPOINTS = "checkpoints"

Tensors = Mapping[str, NDArray[np.float32]]


class Start(NamedTuple):
    """Where a training begins: the clone's tensors, what they observe, and what identifies them."""

    tensors: Tensors
    layout: ObservationLayout
    trained: Mapping[str, Any]
    """Goes into every checkpoint's description, with the number of updates added."""
    score: CloneScore | None = None
    """How good the clone is, where that is known; annealing logs it."""


class Stored(NamedTuple):
    """A dataset version: the side to learn from, the one to be measured on, and what identifies both."""

    train: DecisionSource
    validation: DecisionSource
    identity: str


class Improved(NamedTuple):
    """What a training gives: the network that ships, the update it comes from, and every update's record."""

    network: PolicyNetwork
    update: int
    """0 where no update could be shipped, so that the network is the one that the training began with."""
    records: list[UpdateRecord]


def training_identity(
    start: Start, scenarios: Mapping[str, TownConfig], profile: TrainingProfile, stored: Stored | None = None
) -> str:
    """Digest of everything that decides a training's outcome on a machine."""
    return digest(
        {
            "profile": profile.model_dump(mode="json"),
            "scenarios": {name: config_digest(config) for name, config in scenarios.items()},
            "start": {name: sha256(array.tobytes()).hexdigest() for name, array in start.tensors.items()},
            "stored": stored.identity if stored else None,
            "code": source_digest(*ENGINE, "policy"),
        }
    )


def require_stored(stored: Stored | None, start: Start, profile: TrainingProfile) -> Stored:
    """The dataset version that a mode learns from.

    Raises:
        InputError: None is given.
        CheckpointError: It was recorded with other observations or actions than those that the clone knows.
    """
    if stored is None:
        raise InputError(f"training profile {profile.profile}: mode {profile.mode} learns from a dataset; name one")
    layout = ObservationLayout.from_json(json.dumps(stored.train.layout))
    require_same_layout(start.layout, layout, f"dataset {stored.identity[:12]}")
    return stored


def scalars(record: UpdateRecord) -> dict[str, float]:
    """The figures of an update that event files show; what was not measured is left out."""
    validation, annealing, stored = record.validation, record.annealing, record.stored
    figures = {
        "loss/policy": record.loss_policy,
        "loss/value": record.loss_value,
        "loss/total": record.loss_total,
        "loss/imitation": record.loss_imitation,
        "policy/entropy": record.batch_entropy_mean,
        "policy/kl": record.kl_divergence,
        "policy/clip_fraction": record.clip_fraction,
        "policy/gradient": record.grad_norm,
        "policy/learning_rate": record.lr,
        "critic/explained_variance": record.explained_variance,
        "town/reward": record.reward_mean,
        "town/return": record.episodes.return_mean,
        "town/survival": record.episodes.survival,
        "town/attendance": record.episodes.attendance,
        "town/deaths": record.deaths,
        "validation/return": validation.return_mean if validation else None,
        "validation/attendance": validation.attendance if validation else None,
        "anneal/ratio": annealing.ratio if annealing else None,
        "stored/agreement": stored.agreement if stored else None,
        "speed/agent_steps": record.timing.steps_per_second,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
