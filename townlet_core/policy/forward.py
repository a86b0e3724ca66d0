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
    recall_weight: Floats
    """Of the memory: what the trunk adds to reset gate, update gate and candidate, [hidden, 3 x recurrent]; the
    memory's four arrays are empty where there is none."""
    recall_bias: Floats
    keep_weight: Floats
    """What the old memory adds to them, [recurrent, 3 x recurrent]."""
    keep_bias: Floats
    policy_weight: Floats
    policy_bias: Floats

    @property
    def recurrent(self) -> int:
        """Width of the memory; 0 where there is none."""
        return int(self.keep_weight.shape[0])


class Scratch(NamedTuple):
    """Rows that a forward pass writes into: both encoders side by side, the trunk, the gates, and the logits."""

    joined: Floats
    trunk: Floats
    gates: Floats
    """What trunk and memory add to the three gates, [2, 3 x recurrent]."""
    logits: Floats


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
        recall_weight=_input_major(tensors.get("memory.weight_ih", np.zeros((0, 0)))),
        recall_bias=tensors.get("memory.bias_ih", np.zeros(0, np.float32)),
        keep_weight=_input_major(tensors.get("memory.weight_hh", np.zeros((0, 0)))),
        keep_bias=tensors.get("memory.bias_hh", np.zeros(0, np.float32)),
        policy_weight=_input_major(tensors["policy.weight"]),
        policy_bias=tensors["policy.bias"],
    )


def scratch_rows(weights: ActingWeights) -> Scratch:
    """Rows for a forward pass of these weights."""
    joined, trunk = weights.trunk_weight.shape
    gates = np.empty((2, weights.keep_bias.size), np.float32)
    return Scratch(np.empty(joined, np.float32), np.empty(trunk, np.float32), gates, np.empty_like(weights.policy_bias))


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
def squash(x):  # type: ignore[no-untyped-def]
    """The logistic function."""
    return np.float32(1) / (np.float32(1) + np.exp(-x))


@kernel
def remember(trunk, weights, gates, memory):  # type: ignore[no-untyped-def]
    """Renew a memory [recurrent] by a gated recurrent unit that reads the trunk (gates in torch's order)."""
    new, old, width = gates[0], gates[1], memory.shape[0]
    add_layer(trunk, weights.recall_weight, weights.recall_bias, new, 0)
    add_layer(memory, weights.keep_weight, weights.keep_bias, old, 0)
    for j in range(width):
        reset = squash(new[j] + old[j])
        update = squash(new[width + j] + old[width + j])
        candidate = np.tanh(new[2 * width + j] + reset * old[2 * width + j])
        memory[j] = (np.float32(1) - update) * candidate + update * memory[j]


@kernel
def score_row(cells, features, weights, memory, scratch):  # type: ignore[no-untyped-def]
    """Write one observation's logits into the scratch, and renew the agent's memory [recurrent] if it has one."""
    joined, trunk, logits = scratch.joined, scratch.trunk, scratch.logits
    add_layer(cells, weights.map_weight, weights.map_bias, joined, 0)
    add_layer(features, weights.feature_weight, weights.feature_bias, joined, weights.map_bias.shape[0])
    rectify(joined)
    add_layer(joined, weights.trunk_weight, weights.trunk_bias, trunk, 0)
    rectify(trunk)
    if memory.shape[0] == 0:
        add_layer(trunk, weights.policy_weight, weights.policy_bias, logits, 0)
    else:
        remember(trunk, weights, scratch.gates, memory)
        add_layer(memory, weights.policy_weight, weights.policy_bias, logits, 0)


@kernel
def best_legal(logits, mask):  # type: ignore[no-untyped-def]
    """The legal action with the highest logit, the first of equals; 0 where nothing is legal (the dead)."""
    best = -1
    for a in range(mask.shape[0]):
        if mask[a] and (best < 0 or logits[a] > logits[best]):
            best = a
    return max(best, 0)


@kernel(entry=True)
def choose_actions(cells, features, mask, decides, weights, memory, scratch, actions):  # type: ignore[no-untyped-def]
    """Choose for each row: by the network where `decides`, else the first (and only) legal action.

    The memory [rows, recurrent] of those who decide is renewed in place.
    """
    for row in range(cells.shape[0]):
        if decides[row]:
            score_row(cells[row], features[row], weights, memory[row], scratch)
        actions[row] = best_legal(scratch.logits, mask[row])
