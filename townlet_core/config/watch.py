"""What a watched training must keep to: bounds by the short names that people use for its figures."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, Field

from townlet_core.config.documents import Document, KeyPath, Place, read_document
from townlet_core.config.fields import STRICT, Share
from townlet_core.config.reading import read_model

Logged: TypeAlias = Literal[
    "loss",
    "policy_loss",
    "value_loss",
    "imitation_loss",
    "kl",
    "clip",
    "grad",
    "entropy",
    "reward_corr",
    "explained_variance",
    "reward",
    "return",
    "survival",
    "attendance",
    "validated_return",
    "stored_agreement",
    "teacher_share",
    "deaths",
    "queue_events",
    "queue_intensity",
    "shared_meal",
    "late_help",
    "shift_takeover",
    "chat_quality",
    "chat_failure",
    "shower_complete",
    "sleep_complete",
    "utility_outage",
    "rivalry",
]
"""Figures of an update that are the same whenever a training is repeated."""

Watched: TypeAlias = Literal[Logged, "validation_loss", "accuracy", "seconds", "speed"]
"""The figures of a training log that can be watched: also those of a clone's epochs, and what an update cost.

docs/training.md says what each is.
"""

LOGGED: tuple[Logged, ...] = get_args(Logged)

WITHOUT_LIFE: tuple[Logged, ...] = (
    "loss",
    "policy_loss",
    "value_loss",
    "imitation_loss",
    "kl",
    "grad",
    "entropy",
    "explained_variance",
    "stored_agreement",
)
"""Those that also stand in the log of a training in which nobody lives, and mean the same there."""
WATCHED: tuple[str, ...] = get_args(Watched)

Size: TypeAlias = Annotated[float, Field(ge=-1e12, le=1e12)]
Fall: TypeAlias = Annotated[float, Field(gt=0.0, le=10.0)]
Bounds: TypeAlias = dict[Watched, Size]


class AnnealBounds(BaseModel):
    """What each cycle of annealing is held to where it ends, beside what its own profile says; null asks for nothing.

    `clone_accuracy` is the least agreement on held-out decisions of the clone that annealing begins with. `loss` is the
    share by which the mean loss of a cycle may lie on either side of the first cycle's; `queue_events` (jams and left
    queues) and `queue_intensity` (ticks waited in vain) are the least shares of the first cycle's mean.
    """

    model_config = STRICT
    clone_accuracy: Share | None = None
    loss: Fall | None = None
    queue_events: Share | None = None
    queue_intensity: Share | None = None


class WatchRules(BaseModel):
    """Bounds on single figures, and how far one may fall.

    `max` and `min` hold for every update. `drop` is the share by which a figure may lie below the mean of its last
    `window` values (three deviations of them are always allowed). The first `grace` updates or epochs are not held to
    `min` and `drop`: a training has to settle. `anneal` is about cycles of annealing.
    """

    model_config = STRICT
    max: Bounds = {}
    min: Bounds = {}
    drop: dict[Watched, Fall] = {}
    window: int = Field(default=10, ge=2, le=10_000)
    grace: int = Field(default=5, ge=0, le=1_000_000)
    anneal: AnnealBounds = AnnealBounds()


def load_watch(path: str | Path) -> WatchRules:
    """Load the bounds. Raises ConfigError naming file, line and key."""
    return read_model(read_document(path), WatchRules)


def watch_with(rules: WatchRules, options: dict[str, dict[str, float]]) -> WatchRules:
    """The same rules with bounds from the command line laid over them, checked as in the file.

    Args:
        rules: From the file.
        options: By `max`, `min` and `drop`: the figure and its bound.

    Raises:
        ConfigError: There is no such figure, or the bound cannot be one; names the option.
    """
    plain = rules.model_dump(mode="json")
    data = {**plain, **{kind: {**plain[kind], **bounds} for kind, bounds in options.items()}}
    places: dict[KeyPath, Place] = {(): Place("townlet telemetry watch", None, ())}
    for kind, bounds in options.items():
        places |= {(kind, name): Place(f"--{kind}", None, (name,)) for name in bounds}
    return read_model(Document(data, places), WatchRules)
