"""A policy that remembers: acting without torch gives what torch gives, and memories end where lives do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.small_layouts import small_layout
from townlet_core.config import ImprovementRules, load_config, load_scenario
from townlet_core.core import Simulation
from townlet_core.errors import CheckpointError
from townlet_core.observations.layout import CONTEXT_CUT
from townlet_core.policy.acting import LearnedPolicy, context_cut
from townlet_core.policy.checkpoint import load_checkpoint, read_checkpoint, save_checkpoint
from townlet_core.policy.forward import fold, score_row, scratch_rows
from townlet_core.policy.network import MASKED_LOGIT, NetworkSize, network_from, network_tensors, seeded_network
from townlet_core.policy.ppo import updating
from townlet_core.policy.ppo.collecting import Collector
from townlet_core.policy.ppo.towns import TrainingTowns
from townlet_core.policy.ppo.updating import Learner, Pace

TOWN = Path(__file__).parents[3] / "configs/towns/default.yaml"
LAYOUT = small_layout(11, relationships="B")
SIZE = NetworkSize(484, len(LAYOUT.features), len(LAYOUT.actions), hidden=32, map_hidden=16, recurrent=24)
NETWORK = seeded_network(SIZE, 5)
ROWS, STEPS = 40, 12


def observed(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(step)
    cells = generator.integers(0, 255, (ROWS, SIZE.cells), dtype=np.uint8)
    mask = generator.random((ROWS, SIZE.actions)) < 0.4
    mask[:, 0] = True
    features = generator.normal(size=(ROWS, SIZE.features)).astype(np.float32)
    return torch.from_numpy(cells), torch.from_numpy(features), torch.from_numpy(mask)


def test_twelve_remembered_decisions_agree_with_torch_to_a_hundred_thousandth() -> None:
    weights = fold(network_tensors(NETWORK))
    scratch, ours, theirs = scratch_rows(weights), np.zeros((ROWS, 24), np.float32), NETWORK.blank(ROWS)
    for step in range(STEPS):
        cells, features, mask = observed(step)
        with torch.inference_mode():
            logits, _, theirs = NETWORK.step(cells, features, mask, theirs)
        for row in range(ROWS):
            score_row(cells[row].numpy(), features[row].numpy(), weights, ours[row], scratch)
            legal = mask[row].numpy()
            np.testing.assert_allclose(scratch.logits[legal], logits[row].numpy()[legal], rtol=0, atol=1e-5)
            assert (logits[row].numpy()[~legal] == np.float32(MASKED_LOGIT)).all()
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-5)


def test_unrolling_stretches_gives_what_step_by_step_gives() -> None:
    lengths, start = [3, 1, 4], torch.randn(3, 24, generator=torch.Generator().manual_seed(1))
    cells, features, mask = (column[:8] for column in observed(0))
    begins = torch.tensor([True, False, False, True, True, False, False, False])
    with torch.inference_mode():
        logits, values = NETWORK.unroll(cells, features, mask, begins, start)
        row = 0
        for stretch, length in enumerate(lengths):
            memory = start[stretch : stretch + 1]
            for _ in range(length):
                one = slice(row, row + 1)
                wanted, value, memory = NETWORK.step(cells[one], features[one], mask[one], memory)
                torch.testing.assert_close(logits[one], wanted, rtol=0, atol=1e-5)
                torch.testing.assert_close(values[one], value, rtol=0, atol=1e-5)
                row += 1


def test_what_happened_before_changes_a_choice_and_a_checkpoint_keeps_that(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, network_tensors(NETWORK), LAYOUT, {})
    assert read_checkpoint(tmp_path).description.architecture.kind == "two-stream-gru"
    policy = load_checkpoint(tmp_path)
    cells, features, mask = (column.numpy() for column in observed(1))
    everybody, memory = np.ones(ROWS, bool), np.zeros((ROWS, 24), np.float32)
    at_first = policy.choose(cells, features, mask, everybody, memory)
    for step in range(2, 5):
        policy.choose(*(column.numpy() for column in observed(step)), everybody, memory)
    later = policy.choose(cells, features, mask, everybody, memory)
    assert (at_first != later).any()
    assert network_from(read_checkpoint(tmp_path).tensors).size == SIZE


def test_memory_is_kept_over_forced_ticks_and_lost_when_a_life_begins_anew() -> None:
    sim = Simulation(load_config(TOWN), towns=2, seed=5)
    policy = LearnedPolicy("candidate", "d" * 64, LAYOUT, fold(network_tensors(NETWORK))).enter(sim)
    assert policy.memory is not None
    first = []
    for _ in range(2):
        sim.reset()
        history = []
        for _ in range(60):
            forced, before = ~sim.decision.reshape(-1), policy.memory.copy()
            cut = (sim.observation.features[..., context_cut(LAYOUT)] > 0).reshape(-1)
            history.append(policy.act(sim).copy())
            np.testing.assert_array_equal(policy.memory[forced & ~cut], before[forced & ~cut])
            sim.step(history[-1])
        assert (policy.memory != 0).any(axis=1).all()
        first.append(np.array(history))
    np.testing.assert_array_equal(first[0], first[1])


def test_an_update_unrolls_what_was_remembered_when_it_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    town = load_scenario("outage_during_use", TOWN.parents[1]).config
    towns = TrainingTowns({"outage": town}, 24, {"outage": 3})
    layout = towns.layout
    size = NetworkSize(layout.cells, len(layout.features), len(layout.actions), hidden=16, map_hidden=8, recurrent=8)
    network = seeded_network(size, 2)
    seen = Collector(towns, network, 0.99, np.random.default_rng(4)).collect(400).experience
    later = seen.spans.following[seen.spans.following >= 0]
    assert (seen.decided.features[later, context_cut(layout)] > 0).any(), "nothing cut the context in mid-life"
    told: list[tuple[torch.Tensor, torch.Tensor]] = []
    honest = updating.clipped_surrogate

    def heard(new: torch.Tensor, old: torch.Tensor, *others: Any) -> Any:
        told.append((new.detach().clone(), old))
        return honest(new, old, *others)

    monkeypatch.setattr(updating, "clipped_surrogate", heard)
    rules = ImprovementRules(sequence=64, minibatch=1_000_000, epochs=1)
    Learner(network, rules, 0.99, np.random.default_rng(1)).update(seen, Pace(1, 1e-9, 0.0, critic_only=False))
    ((new, old),) = told
    assert len(old) == seen.size
    torch.testing.assert_close(new, old, rtol=0, atol=1e-5)


def test_a_layout_that_does_not_tell_of_new_lives_is_no_place_to_remember() -> None:
    without = LAYOUT._replace(features=tuple(spec for spec in LAYOUT.features if spec.name != CONTEXT_CUT))
    with pytest.raises(CheckpointError, match="has no feature ctx_reset_flag; train without `recurrent`"):
        context_cut(without)
