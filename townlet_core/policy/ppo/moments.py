"""An optimiser's moments as named arrays, so that they can be stored without pickle."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray


def optimiser_arrays(optimizer: torch.optim.Optimizer) -> dict[str, NDArray[Any]]:
    """An optimiser's moments and step counts by name; copies."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value.numpy().copy() for number, own in state.items() for name, value in own.items()}


def restore_optimiser(optimizer: torch.optim.Optimizer, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Give an optimiser the moments that `optimiser_arrays` read."""
    document = optimizer.state_dict()
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, array in arrays.items():
        number, name = key.split(".")
        state.setdefault(int(number), {})[name] = torch.from_numpy(array.copy())
    optimizer.load_state_dict({**document, "state": state})
