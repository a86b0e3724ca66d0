"""The terms of the objective, against figures worked out without torch."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from townlet_core.policy.network import MASKED_LOGIT
from townlet_core.policy.ppo.losses import clipped_surrogate, entropies, taken_log_probs, value_error

GENERATOR = np.random.default_rng(0)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_surrogate_by_hand() -> None:
    # Ratios 1.5, 1.5, 0.5, 0.5 with clip 0.2: gains are bounded at 1.2 and 0.8, losses are not.
    log_ratio = tensor(math.log(1.5), math.log(1.5), math.log(0.5), math.log(0.5))
    found = clipped_surrogate(log_ratio, tensor(0, 0, 0, 0), tensor(1, -1, 1, -1), 0.2)
    assert found.loss.item() == pytest.approx(-(1.2 - 1.5 + 0.5 - 0.8) / 4)
    assert found.clipped.item() == 1.0


def test_a_gain_beyond_the_clip_pulls_no_further_a_loss_does() -> None:
    log_prob = tensor(math.log(1.5), math.log(1.5)).requires_grad_()
    clipped_surrogate(log_prob, tensor(0, 0), tensor(1, -1), 0.2).loss.backward()
    assert log_prob.grad is not None
    assert log_prob.grad.tolist() == pytest.approx([0.0, 1.5 / 2])


def test_the_divergence_estimate_agrees_with_the_divergence_of_two_distributions() -> None:
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    drawn = GENERATOR.choice(3, 200_000, p=old)
    taken = torch.from_numpy(np.log(new)[drawn]), torch.from_numpy(np.log(old)[drawn])
    found = clipped_surrogate(*taken, torch.zeros(len(drawn)), 0.2).divergence.item()
    assert found == pytest.approx(stats.entropy(old, new), rel=0.05)


def test_the_value_error_by_hand_free_and_held_back() -> None:
    value, old, target = tensor(2.0, 0.1), tensor(0.0, 0.0), tensor(3.0, 1.0)
    assert value_error(value, old, target, 0.0).item() == pytest.approx((1.0 + 0.81) / 4)
    # Held to 0.5 from the old value the first would be wrong by 2.5; the worse of both counts.
    assert value_error(value, old, target, 0.5).item() == pytest.approx((2.5**2 + 0.81) / 4)


def test_entropy_and_log_probabilities_leave_forbidden_actions_out() -> None:
    logits = torch.from_numpy(GENERATOR.normal(size=(50, 6)))
    mask = torch.from_numpy(GENERATOR.random((50, 6)) < 0.5)
    mask[:, 0] = True
    masked = logits.masked_fill(~mask, MASKED_LOGIT)
    for row in range(50):
        legal = logits[row][mask[row]].numpy()
        probs = np.exp(legal) / np.exp(legal).sum()
        assert entropies(masked)[row].item() == pytest.approx(stats.entropy(probs), abs=1e-9)
        first = taken_log_probs(masked, torch.zeros(50, dtype=torch.int64))[row]
        assert first.item() == pytest.approx(math.log(probs[0]), abs=1e-9)
