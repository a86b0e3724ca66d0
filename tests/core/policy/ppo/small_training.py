"""A training as small as it can be, run as a program of its own so that it can be killed."""

import json
import os
import signal
import sys
from pathlib import Path

from townlet_core.config import ImprovementRules, Ramp, TownConfig, TrainingProfile, load_config
from townlet_core.observations.layout import layout_of
from townlet_core.policy.network import NetworkSize, network_tensors, seeded_network
from townlet_core.policy.ppo.training import Improved, Start, improve
from townlet_core.policy.training_log import UpdateRecord

TOWN = Path(__file__).parents[4] / "configs" / "towns" / "default.yaml"


def small_town() -> TownConfig:
    """A town that looks about less far."""
    return load_config(TOWN, {"observations": {"local_window": 5}})


def small_profile(**rules: object) -> TrainingProfile:
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
    }
    return TrainingProfile(
        profile="small", seed=3, discount=0.99, ships="improved", ppo=ImprovementRules(**{**ppo, **rules})
    )


def small_start(recurrent: int = 8, seed: int = 1) -> Start:
    """A network that has learnt nothing yet."""
    layout = layout_of(small_town())
    size = NetworkSize(
        layout.cells, len(layout.features), len(layout.actions), hidden=16, map_hidden=8, recurrent=recurrent
    )
    return Start(network_tensors(seeded_network(size, seed)), layout, {"method": "test"})


def small_training(
    folder: Path, *, resume: bool = False, kill_after: int | None = None, recurrent: int = 8
) -> Improved:
    """Run it; with `kill_after` the process kills itself in the moment in which that update's record is written."""

    def die(record: UpdateRecord) -> None:
        if record.epoch == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    scenarios = {"evening": small_town()}
    return improve(small_start(recurrent), scenarios, small_profile(), folder, resume=resume, progress=die)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[2])
    small_training(Path(sys.argv[1]), **wanted)
