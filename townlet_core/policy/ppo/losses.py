"""The terms of the objective, each a function of tensors: clipped surrogate, value error, entropy, divergence."""

from typing import NamedTuple

import torch
from torch import Tensor


class Surrogate(NamedTuple):
    """The policy's loss and two measures of how far it has moved, each a scalar tensor."""

    loss: Tensor
    divergence: Tensor
    """Estimate of KL(old || new) from the taken actions, never negative: mean of (r - 1) - log r."""
    clipped: Tensor
    """Share of decisions whose ratio has left the clip range."""


def clipped_surrogate(log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, clip: float) -> Surrogate:
    """The pessimistic clipped objective of Schulman et al. 2017 as a loss, averaged over decisions.

    Args:
        log_prob: Log-probability of the taken action now, [n].
        old_log_prob: The same when it was taken, [n].
        advantage: What the action was worth, [n].
        clip: How far the ratio of both probabilities may leave 1 before it stops to pay.
    """
    log_ratio = log_prob - old_log_prob
    ratio = log_ratio.exp()
    bounded = ratio.clamp(1.0 - clip, 1.0 + clip)
    loss = -torch.minimum(ratio * advantage, bounded * advantage).mean()
    with torch.no_grad():
        divergence = ((ratio - 1.0) - log_ratio).mean()
        clipped = ((ratio - 1.0).abs() > clip).float().mean()
    return Surrogate(loss, divergence, clipped)


def value_error(value: Tensor, old_value: Tensor, target: Tensor, clip: float) -> Tensor:
    """Half the mean squared error of the critic, a scalar tensor.

    Args:
        value: What the critic says now, standardised, [n].
        old_value: What it said when the decision was taken, [n].
        target: What it should have said, [n].
        clip: How far it may move from `old_value` before moving stops to pay; 0 lets it move freely.
    """
    error = (value - target).square()
    if clip > 0.0:
        held = old_value + (value - old_value).clamp(-clip, clip)
        error = torch.maximum(error, (held - target).square())
    return 0.5 * error.mean()


def entropies(logits: Tensor) -> Tensor:
    """Entropy in nats of each row's choice, [n]; masked actions add nothing."""
    log_probs = torch.log_softmax(logits, dim=1)
    return -(log_probs.exp() * log_probs).sum(dim=1)


def taken_log_probs(logits: Tensor, actions: Tensor) -> Tensor:
    """Log-probability of each row's action, [n]."""
    return torch.log_softmax(logits, dim=1).gather(1, actions[:, None]).squeeze(1)
