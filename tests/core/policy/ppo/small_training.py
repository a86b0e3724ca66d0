"""A training as small as it can be, in every mode, run as a program of its own so that it can be killed."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from townlet_core.config import (
    AnnealRules,
    ImprovementRules,
    MixRules,
    Ramp,
    ReplayRules,
    StageFrom,
    TownConfig,
    TrainingProfile,
    load_config,
)
from townlet_core.datasets.reading import DecisionBatch
from townlet_core.observations.layout import layout_of
from townlet_core.policy.network import NetworkSize, network_tensors, seeded_network
from townlet_core.policy.ppo.starting import Improved, Start, Stored
from townlet_core.policy.ppo.training import improve
from townlet_core.policy.training_log import UpdateRecord

TOWN = Path(__file__).parents[4] / "configs" / "towns" / "default.yaml"
EPISODES, ROWS = 3, 90

SECTIONS: dict[str, dict[str, object]] = {
    "rollout": {},
    "mixed": {"mix": MixRules(share=0.4)},
    "anneal": {"anneal": AnnealRules(steps=2, imitation=0.5)},
    "replay": {"replay": ReplayRules(updates=6, minibatches=3, minibatch=40, checkpoint_every=2)},
}
"""What each mode's profile holds beside the section `ppo`."""

OF_ANNEALING = {"cycle": 2, "validation_towns": 1, "social_stages": (StageFrom(cycle=1, stage="C3"),)}


def small_town() -> TownConfig:
    """A town that looks about less far."""
    return load_config(TOWN, {"observations": {"local_window": 5}})


def small_profile(mode: str = "rollout", **rules: object) -> TrainingProfile:
    """Six short updates; the third one sees a day end, so that a checkpoint falls into either day."""
    ppo = {
        "scenarios": ("evening",),
        "towns": 2,
        "ticks": 500,
        "updates": 6,
        "epochs": 2,
        "minibatch": 64,
        "sequence": 3,
        "critic_warmup": 1,
        "checkpoint_every": 2,
        "learning_rate": Ramp(start=1e-2, end=1e-3),
        **(OF_ANNEALING if mode == "anneal" else {}),
    }
    lives = {} if mode == "replay" else {"ppo": ImprovementRules(**{**ppo, **rules})}
    sections: Any = {**SECTIONS[mode], **lives}
    return TrainingProfile(profile="small", mode=mode, seed=3, discount=0.99, ships="improved", **sections)


def small_start(recurrent: int = 8, seed: int = 1) -> Start:
    """A network that has learnt nothing yet."""
    layout = layout_of(small_town())
    size = NetworkSize(
        layout.cells, len(layout.features), len(layout.actions), hidden=16, map_hidden=8, recurrent=recurrent
    )
    return Start(network_tensors(seeded_network(size, seed)), layout, {"method": "test"})


@dataclass(frozen=True)
class StoredSide:
    """A side of a dataset in memory: choices that the hunger a citizen feels decides."""

    seed: int

    @property
    def layout(self) -> dict[str, Any]:
        """The small town's."""
        document: dict[str, Any] = json.loads(layout_of(small_town()).to_json())
        return document

    @property
    def actions(self) -> tuple[str, ...]:
        """The small town's."""
        return tuple(layout_of(small_town()).actions)

    scenarios = ("evening",)
    decisions, episodes = EPISODES * ROWS, range(EPISODES)

    def read(self, number: int) -> DecisionBatch:
        """One episode."""
        return list(self)[number]

    def __iter__(self) -> Iterator[DecisionBatch]:
        layout, generator = layout_of(small_town()), np.random.default_rng(self.seed)
        for episode in range(EPISODES):
            features = generator.random((ROWS, len(layout.features)), dtype=np.float32)
            expert = (features[:, 0] > 0.5).astype(np.int8)
            returns = np.where(generator.random(ROWS) < 0.5, -1.0, 1.0).astype(np.float32)
            yield DecisionBatch(
                map=generator.integers(0, 255, (ROWS, 5, 5, len(layout.channels)), dtype=np.uint8),
                features=features,
                mask=np.ones((ROWS, len(layout.actions)), np.bool_),
                expert=expert,
                scenario=np.full(ROWS, "evening"),
                episode=np.full(ROWS, episode, np.int32),
                agent=np.zeros(ROWS, np.int16),
                tick=np.arange(ROWS, dtype=np.int32),
                return_to_next=returns,
                ticks_to_next=np.ones(ROWS, np.int32),
                returns=returns,
                begins=np.arange(ROWS) % 9 == 0,
            )


def small_stored() -> Stored:
    """Both sides of a dataset that teaches."""
    return Stored(StoredSide(5), StoredSide(6), "small")


def small_training(
    folder: Path, *, resume: bool = False, kill_after: int | None = None, recurrent: int = 8, mode: str = "rollout"
) -> Improved:
    """Run it; with `kill_after` the process kills itself in the moment in which that update's record is written."""

    def die(record: UpdateRecord) -> None:
        if record.epoch == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    profile, scenarios = small_profile(mode), {} if mode == "replay" else {"evening": small_town()}
    return improve(
        small_start(recurrent), scenarios, profile, folder, stored=small_stored(), resume=resume, progress=die
    )


if __name__ == "__main__":
    wanted = json.loads(sys.argv[2])
    small_training(Path(sys.argv[1]), **wanted)
