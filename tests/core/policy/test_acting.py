"""A trained policy acts: legally, alike in any company, and without torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.small_layouts import small_layout
from townlet_core.config import load_config
from townlet_core.core import Simulation
from townlet_core.errors import CheckpointError
from townlet_core.policy.acting import LearnedPolicy
from townlet_core.policy.forward import fold
from townlet_core.policy.network import NetworkSize, PolicyNetwork, network_tensors, seeded_network

ROOT = Path(__file__).parents[3]
LAYOUT = small_layout(11, relationships="B")
SIZE = NetworkSize(484, len(LAYOUT.features), len(LAYOUT.actions), hidden=64, map_hidden=32)


def scaled_network() -> PolicyNetwork:
    network = seeded_network(SIZE, 4)
    generator = np.random.default_rng(4)
    network.feature_mean.copy_(torch.from_numpy(generator.normal(size=SIZE.features)))
    network.feature_scale.copy_(torch.from_numpy(generator.uniform(0.1, 2.0, SIZE.features)))
    return network


NETWORK = scaled_network()
POLICY = LearnedPolicy("candidate", "d" * 64, LAYOUT, fold(network_tensors(NETWORK)))


def observations(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    cells = generator.integers(0, 255, (rows, 11, 11, 4), dtype=np.uint8)
    cells[generator.random(cells.shape) < 0.7] = 0
    mask = generator.random((rows, SIZE.actions)) < 0.4
    mask[np.arange(rows), generator.integers(0, SIZE.actions, rows)] = True
    return cells, generator.normal(size=(rows, SIZE.features)).astype(np.float32), mask


def test_acting_agrees_with_the_torch_network() -> None:
    cells, features, mask = observations(2000, 1)
    chosen = POLICY.choose(cells, features, mask, np.ones(2000, bool))
    with torch.inference_mode():
        logits, _ = NETWORK(
            torch.from_numpy(cells.reshape(2000, -1)), torch.from_numpy(features), torch.from_numpy(mask)
        )
    best = logits.max(dim=1).values.numpy()
    picked = logits.numpy()[np.arange(2000), chosen]
    np.testing.assert_allclose(picked, best, atol=1e-4)
    assert (logits.argmax(dim=1).numpy() == chosen).mean() > 0.999


@given(keep=st.lists(st.booleans(), min_size=40, max_size=40), order=st.permutations(range(40)))
def test_a_choice_does_not_depend_on_who_else_decides(keep: list[bool], order: list[int]) -> None:
    cells, features, mask = observations(40, 2)
    whole = POLICY.choose(cells, features, mask, np.ones(40, bool))
    some = np.array([row for row in order if keep[row]], dtype=int)
    part = POLICY.choose(cells[some], features[some], mask[some], np.ones(some.size, bool))
    np.testing.assert_array_equal(part, whole[some])


def test_a_forced_agent_does_what_is_left_and_the_dead_do_nothing() -> None:
    cells, features, _ = observations(3, 3)
    mask = np.zeros((3, SIZE.actions), bool)
    mask[0, 6] = mask[1, 2] = True
    assert POLICY.choose(cells, features, mask, np.zeros(3, bool)).tolist() == [6, 2, 0]


def test_acting_in_a_town_is_legal_in_every_tick() -> None:
    sim = Simulation(load_config(ROOT / "configs/towns/default.yaml"), towns=3, seed=5)
    policy = POLICY.enter(sim)
    decided = 0
    for _ in range(300):
        actions, mask, decides = policy.act(sim), sim.observation.mask.copy(), sim.decision
        legal = np.take_along_axis(mask, actions[..., None].astype(int), axis=2)[..., 0]
        assert legal[mask.any(axis=2)].all()
        decided += int(decides.sum())
        sim.step(actions)
    assert decided > 24


def test_a_policy_does_not_enter_a_town_that_it_cannot_read() -> None:
    config = load_config(ROOT / "configs/towns/default.yaml", {"observations": {"local_window": 9}})
    with pytest.raises(CheckpointError, match="map window is 11 in the policy and 9 in the town"):
        POLICY.enter(Simulation(config))


def test_acting_and_judging_do_not_import_torch() -> None:
    program = "import sys, townlet_core.policy.checkpoint, townlet_core.stability; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
