"""The policy network: a map encoder and a feature encoder, one shared trunk, a policy head and a value head."""

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
        self.policy = nn.Linear(size.hidden, size.actions)
        self.value = nn.Linear(size.hidden, 1)
        self.register_buffer("feature_mean", torch.zeros(size.features))
        self.register_buffer("feature_scale", torch.ones(size.features))
        self.register_buffer("value_scale", torch.tensor([0.0, 1.0]))

    def forward(self, cells: Tensor, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Score a batch of observations.

        Args:
            cells: uint8 [n, cells], the flattened maps.
            features: float32 [n, features], as observed.
            mask: bool [n, actions], true where an action may be chosen.

        Returns:
            Logits float32 [n, actions] (illegal ones at `MASKED_LOGIT`) and standardised values float32 [n];
            `value_scale` holds the mean and the scale that turn a value into a return.
        """
        seen = torch.relu(self.map(cells.to(torch.float32) / 255.0))
        felt = torch.relu(self.features((features - self.feature_mean) / self.feature_scale))
        trunk = torch.relu(self.trunk(torch.cat((seen, felt), dim=1)))
        return self.policy(trunk).masked_fill(~mask, MASKED_LOGIT), self.value(trunk).squeeze(1)


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
    network = PolicyNetwork(NetworkSize(cells, features, tensors["policy.weight"].shape[0], hidden, map_hidden))
    network.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()})
    return network
