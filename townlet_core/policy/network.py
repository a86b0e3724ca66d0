"""The policy network: a map encoder and a feature encoder, one shared trunk, perhaps a memory, and two heads."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

MASKED_LOGIT = -1e9
"""What an illegal action's logit becomes: never chosen, and still finite in losses and entropies."""


class NetworkSize(NamedTuple):
    """The sizes that fix a network's tensors: what an observation holds, and how wide the layers are."""

    cells: int
    """Bytes of a flattened map: window × window × channels."""
    features: int
    actions: int
    hidden: int
    map_hidden: int
    recurrent: int = 0
    """Width of the memory (a gated recurrent unit, Cho et al. 2014) that is carried from decision to decision; 0 is
    none."""


class PolicyNetwork(nn.Module):
    """Shared by all agents of all towns; reads raw observations and scores the actions that the mask allows.

    Features are standardised with the statistics that training stored in the network, and the value head
    answers in the units of the return, so that whoever loads the weights needs no other constants.
    """

    feature_mean: Tensor
    feature_scale: Tensor
    value_scale: Tensor

    def __init__(self, size: NetworkSize) -> None:
        super().__init__()
        self.size = size
        self.map = _encoder(size.cells, size.map_hidden)
        self.features = nn.Linear(size.features, size.hidden)
        self.trunk = nn.Linear(size.map_hidden + size.hidden, size.hidden)
        self.memory = nn.GRUCell(size.hidden, size.recurrent) if size.recurrent else None
        self.policy = nn.Linear(size.recurrent or size.hidden, size.actions)
        self.value = nn.Linear(size.recurrent or size.hidden, 1)
        self.register_buffer("feature_mean", torch.zeros(size.features))
        self.register_buffer("feature_scale", torch.ones(size.features))
        self.register_buffer("value_scale", torch.tensor([0.0, 1.0]))

    def forward(self, cells: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score a batch of observations, each the first that its agent decides on.

        Args:
            cells: uint8 [n, cells], the flattened maps.
            features: float32 [n, features], as observed.
            mask: bool [n, actions], true where an action may be chosen.

        Returns:
            Logits float32 [n, actions] (illegal ones at `MASKED_LOGIT`) and standardised values float32 [n];
            `value_scale` holds the mean and the scale that turn a value into a return.
        """
        logits, values, _ = self.step(cells, features, mask, self.blank(len(mask)))
        return logits, values

    def step(self, cells: Tensor, features: Tensor, mask: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, for agents that remember `memory` float32 [n, recurrent]; gives the new memory as well."""
        trunk = self.encode(cells, features)
        if self.memory is not None:
            trunk = memory = self.memory(trunk, memory)
        return *self.heads(trunk, mask), memory

    def unroll(
        self, cells: Tensor, features: Tensor, mask: Tensor, begins: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, for rows that are stretches of lives, one after another.

        Args:
            cells: uint8 [n, cells].
            features: float32 [n, features].
            mask: bool [n, actions].
            begins: bool [n], true in the first row of each of S stretches; the first row begins one.
            memory: float32 [S, recurrent], what the agent remembered when the stretch began.
        """
        trunk = self.encode(cells, features)
        return self.heads(trunk if self.memory is None else self._recall(trunk, begins, memory), mask)

    def encode(self, cells: Tensor, features: Tensor) -> Tensor:
        """What both encoders and the trunk make of observations, float32 [n, hidden]."""
        seen = torch.relu(self.map(cells.to(torch.float32) / 255.0))
        felt = torch.relu(self.features((features - self.feature_mean) / self.feature_scale))
        return torch.relu(self.trunk(torch.cat((seen, felt), dim=1)))

    def heads(self, trunk: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Masked logits [n, actions] and standardised values [n]."""
        return self.policy(trunk).masked_fill(~mask, MASKED_LOGIT), self.value(trunk).squeeze(1)

    def blank(self, rows: int) -> Tensor:
        """What agents remember at the beginning of a life: nothing, float32 [rows, recurrent]."""
        return torch.zeros(rows, self.size.recurrent)

    def _recall(self, trunk: Tensor, begins: Tensor, memory: Tensor) -> Tensor:
        assert self.memory is not None
        stretch = begins.long().cumsum(0) - 1
        place = torch.arange(len(begins)) - torch.nonzero(begins).squeeze(1)[stretch]
        grid = trunk.new_zeros(int(place.max()) + 1, len(memory), trunk.shape[1])
        grid = grid.index_put((place, stretch), trunk)
        steps = []
        for inputs in grid:
            memory = self.memory(inputs, memory)
            steps.append(memory)
        return torch.stack(steps)[place, stretch]


def _encoder(cells: int, width: int) -> nn.Linear:
    """The map's layer; where nobody sees a map it reads nothing and is a constant."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")
        return nn.Linear(cells, width)


def seeded_network(size: NetworkSize, seed: int) -> PolicyNetwork:
    """A fresh network whose weights depend on the seed alone; torch's global stream is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PolicyNetwork(size)


def network_tensors(network: PolicyNetwork) -> dict[str, NDArray[np.float32]]:
    """The network's tensors as NumPy copies by name: what a checkpoint stores."""
    return {name: tensor.detach().numpy().copy() for name, tensor in network.state_dict().items()}


def network_from(tensors: Mapping[str, NDArray[np.float32]]) -> PolicyNetwork:
    """The network that these tensors came from, ready to train on (a warm start)."""
    map_hidden, cells = tensors["map.weight"].shape
    hidden, features = tensors["features.weight"].shape
    actions = tensors["policy.weight"].shape[0]
    recurrent = tensors["memory.weight_hh"].shape[1] if "memory.weight_hh" in tensors else 0
    network = PolicyNetwork(NetworkSize(cells, features, actions, hidden, map_hidden, recurrent))
    network.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()})
    return network
