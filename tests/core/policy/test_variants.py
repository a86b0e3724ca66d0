"""Every variant and both controls go the whole way: environment, capture, replay, training, checkpoint, acting."""

import json
from pathlib import Path

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from townlet_core.config import CaptureRules, TownConfig, load_config, load_curation, load_scenario, load_training
from townlet_core.core import Simulation
from townlet_core.datasets import DecisionReader, Store, build_version, capture, curate
from townlet_core.datasets.replay import replay
from townlet_core.datasets.splitting import HOLDOUT, TRAIN, VALIDATION
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy import Teacher, load_checkpoint, save_checkpoint
from townlet_core.policy.bc import train_bc
from townlet_core.policy.env import TownletParallelEnv
from townlet_core.policy.network import network_tensors

CONFIGS = Path(__file__).parents[3] / "configs"
SIDES = (TRAIN, VALIDATION, HOLDOUT)
SEEN = [("full", "options"), ("compact", "options"), ("compact", "primitives")]


@pytest.fixture(scope="module", params=SEEN, ids=lambda seen: f"{seen[0]}, {seen[1]}")
def config(request: pytest.FixtureRequest) -> TownConfig:
    """The default town, seen by a variant and controlled by options or steps."""
    variant, control = request.param
    changes = {"config_id": f"default-{variant}-1", "control": control, "observations": {"variant": variant}}
    return load_config(CONFIGS / "towns" / "default.yaml", changes)


def test_the_environment_passes_the_interface_test_and_shows_what_its_spaces_say(config: TownConfig) -> None:
    env = TownletParallelEnv(config, seed=3)
    parallel_api_test(env, num_cycles=60)
    observations, _ = env.reset()
    for name, seen in observations.items():
        assert env.observation_space(name).contains(seen)
        assert seen["map"].shape == (11, 11, 8) if config.observations.variant == "full" else (0, 0, 0)


def test_a_policy_is_captured_replayed_trained_saved_and_acts(config: TownConfig, tmp_path: Path) -> None:
    store, rules = Store(tmp_path / "line"), load_curation(CONFIGS / "curation.yaml")
    day = load_scenario("ordinary_day", CONFIGS)
    rules_of_capture = CaptureRules(towns=4, days=1, exploration=0.05)
    recorded = capture(
        day._replace(config=config, capture=rules_of_capture), "2026-11-01", store, policy_factory=Teacher
    )
    assert replay(store.object_path(recorded.steps.removesuffix(".parquet"))).difference is None
    manifest = build_version([curate(recorded, rules, store)], rules, store)
    readers = [DecisionReader(manifest, store, side) for side in SIDES]
    quick = load_training(CONFIGS / "training/quick.yaml").model_copy(update={"epochs": 2, "hidden": 32})
    result = train_bc(*readers, quick)
    assert result.report.accuracy > result.report.majority_share
    layout = ObservationLayout.from_json(json.dumps(readers[0].layout))
    save_checkpoint(tmp_path / "candidate", network_tensors(result.network), layout, {"dataset": manifest["id"]})
    _acts_legally(load_checkpoint(tmp_path / "candidate").enter(sim := Simulation(config, towns=2, seed=9)), sim)


def _acts_legally(policy: object, sim: Simulation) -> None:
    for _ in range(200):
        mask, actions = sim.observation.mask.copy(), policy.act(sim)  # type: ignore[attr-defined]
        assert np.take_along_axis(mask, actions[..., None].astype(int), axis=2).all()
        sim.step(actions)
