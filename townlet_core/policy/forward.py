"""The trained network as plain arrays and one kernel: how a policy acts without torch.

Each row is summed in a fixed order, so an agent's choice depends on its own observation alone: never on which
other agents decide in the same tick, on the batch size, or on the linear-algebra library of the machine.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.kernels import kernel

Floats = NDArray[np.float32]


class ActingWeights(NamedTuple):
    """The network's layers, input-major (`[inputs, outputs]`), with the input scaling folded into the first ones."""

    map_weight: Floats
    map_bias: Floats
    feature_weight: Floats
    feature_bias: Floats
    trunk_weight: Floats
    trunk_bias: Floats
    policy_weight: Floats
    policy_bias: Floats


def fold(tensors: Mapping[str, NDArray[np.float32]]) -> ActingWeights:
    """Turn a network's named tensors into acting weights; the scaling is folded in double precision."""
    scale = tensors["feature_scale"].astype(np.float64)
    mean = tensors["feature_mean"].astype(np.float64)
    feature = tensors["features.weight"].astype(np.float64) / scale
    return ActingWeights(
        map_weight=_input_major(tensors["map.weight"].astype(np.float64) / 255.0),
        map_bias=tensors["map.bias"],
        feature_weight=_input_major(feature),
        feature_bias=(tensors["features.bias"] - feature @ mean).astype(np.float32),
        trunk_weight=_input_major(tensors["trunk.weight"]),
        trunk_bias=tensors["trunk.bias"],
        policy_weight=_input_major(tensors["policy.weight"]),
        policy_bias=tensors["policy.bias"],
    )


def scratch_rows(weights: ActingWeights) -> tuple[Floats, Floats, Floats]:
    """Rows that a forward pass writes into: both encoders side by side, the trunk, and the logits."""
    joined, trunk = weights.trunk_weight.shape
    return np.empty(joined, np.float32), np.empty(trunk, np.float32), np.empty(weights.policy_bias.size, np.float32)


def _input_major(weight: NDArray[np.floating]) -> Floats:
    return np.ascontiguousarray(weight.T, dtype=np.float32)


@kernel
def add_layer(inputs, weight, bias, out, start):  # type: ignore[no-untyped-def]
    """Write `bias + inputs @ weight` into `out` from `start` on, input by input; an empty cell costs a comparison."""
    width = bias.shape[0]
    for j in range(width):
        out[start + j] = bias[j]
    for i in range(inputs.shape[0]):
        x = np.float32(inputs[i])
        if x != 0:
            for j in range(width):
                out[start + j] += x * weight[i, j]


@kernel
def rectify(values):  # type: ignore[no-untyped-def]
    """Set what is negative to zero."""
    for j in range(values.shape[0]):
        values[j] = max(values[j], np.float32(0))


@kernel
def score_row(cells, features, weights, joined, trunk, logits):  # type: ignore[no-untyped-def]
    """Write one observation's logits; `joined` and `trunk` are scratch rows."""
    add_layer(cells, weights.map_weight, weights.map_bias, joined, 0)
    add_layer(features, weights.feature_weight, weights.feature_bias, joined, weights.map_bias.shape[0])
    rectify(joined)
    add_layer(joined, weights.trunk_weight, weights.trunk_bias, trunk, 0)
    rectify(trunk)
    add_layer(trunk, weights.policy_weight, weights.policy_bias, logits, 0)


@kernel
def best_legal(logits, mask):  # type: ignore[no-untyped-def]
    """The legal action with the highest logit, the first of equals; 0 where nothing is legal (the dead)."""
    best = -1
    for a in range(mask.shape[0]):
        if mask[a] and (best < 0 or logits[a] > logits[best]):
            best = a
    return max(best, 0)


@kernel(entry=True)
def choose_actions(cells, features, mask, decides, weights, scratch, actions):  # type: ignore[no-untyped-def]
    """Choose for each row: by the network where `decides`, else the first (and only) legal action."""
    joined, trunk, logits = scratch
    for row in range(cells.shape[0]):
        if decides[row]:
            score_row(cells[row], features[row], weights, joined, trunk, logits)
        actions[row] = best_legal(logits, mask[row])
