"""Checkpoints: `policy.safetensors` holds the weights, `policy.json` says what they mean. Loading never executes.

The description names the weights' digest, so the digest of the description stands for both files.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from upath import UPath

from townlet_core.config import canonical_json
from townlet_core.errors import CheckpointError
from townlet_core.files import write_whole
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.acting import LearnedPolicy
from townlet_core.policy.forward import fold
from townlet_core.policy.layouts import require_same_layout

WEIGHTS_FILE = "policy.safetensors"
DESCRIPTION_FILE = "policy.json"
FORMAT = "townlet-policy"
FORMAT_VERSION = 1
MAX_BYTES = 1 << 30
"""No checkpoint of ours comes near; a larger file is refused before it is read."""

Tensors = Mapping[str, NDArray[np.float32]]


class Architecture(BaseModel):
    """The sizes that fix every tensor's shape."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    kind: str
    cells: int
    features: int
    actions: int
    hidden: int
    map_hidden: int
    recurrent: int = 0

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor by name, as torch stores them (`[outputs, inputs]`)."""
        joined = self.map_hidden + self.hidden
        layers = {
            "map": (self.map_hidden, self.cells),
            "features": (self.hidden, self.features),
            "trunk": (self.hidden, joined),
            "policy": (self.actions, self.recurrent or self.hidden),
            "value": (1, self.recurrent or self.hidden),
        }
        shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in layers.items()}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in layers.items()}
        if self.recurrent:
            gates = 3 * self.recurrent
            shapes |= {"memory.weight_ih": (gates, self.hidden), "memory.weight_hh": (gates, self.recurrent)}
            shapes |= {"memory.bias_ih": (gates,), "memory.bias_hh": (gates,)}
        return shapes | {"feature_mean": (self.features,), "feature_scale": (self.features,), "value_scale": (2,)}


class Description(BaseModel):
    """`policy.json`: the architecture, the observations and actions it is for, and what it was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: str
    format_version: int
    architecture: Architecture
    layout: dict[str, Any]
    layout_digest: str
    actions: tuple[str, ...]
    trained: dict[str, Any]
    """Whatever identifies the training: method, dataset id, profile, digests of its inputs. No times, no hosts."""
    weights_sha256: str


class Checkpoint(NamedTuple):
    """A verified checkpoint: its digest, its description and its tensors."""

    digest: str
    description: Description
    layout: ObservationLayout
    tensors: Tensors


def save_checkpoint(
    folder: Path | str | UPath,
    tensors: Tensors,
    layout: ObservationLayout,
    trained: Mapping[str, Any],
) -> str:
    """Write a checkpoint folder; each file appears whole, the description last.

    Args:
        folder: Where to write; created when missing.
        tensors: The network's float32 tensors by name (`network.state_dict()` as NumPy arrays).
        layout: The observations and actions it was trained on.
        trained: What identifies the training, as plain JSON values.

    Returns:
        The digest over both files, hex.

    Raises:
        CheckpointError: A weight is not finite, or the tensors are not those of one network.
    """
    folder = UPath(folder)
    architecture = _architecture(tensors)
    _require_tensors(tensors, architecture, str(folder))
    content = save_tensors({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)})
    description = Description(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        architecture=architecture,
        layout=json.loads(layout.to_json()),
        layout_digest=layout.digest,
        actions=tuple(layout.actions),
        trained=dict(trained),
        weights_sha256=hashlib.sha256(content).hexdigest(),
    )
    text = canonical_json(description) + b"\n"
    write_whole(folder / WEIGHTS_FILE, content)
    write_whole(folder / DESCRIPTION_FILE, text)
    return hashlib.sha256(text).hexdigest()


def read_checkpoint(folder: Path | str | UPath) -> Checkpoint:
    """Read and verify a checkpoint folder.

    Raises:
        CheckpointError: A file is missing, damaged, of another format, or the two do not belong together.
    """
    folder = UPath(folder)
    text = _read(folder / DESCRIPTION_FILE)
    description = _parse(text, folder / DESCRIPTION_FILE)
    layout = _layout(description, folder / DESCRIPTION_FILE)
    content = _read(folder / WEIGHTS_FILE)
    found = hashlib.sha256(content).hexdigest()
    if found != description.weights_sha256:
        raise CheckpointError(
            f"{folder / WEIGHTS_FILE}: sha256 is {found[:12]}…, {DESCRIPTION_FILE} says "
            f"{description.weights_sha256[:12]}…; restore the file or train again"
        )
    tensors = _tensors(content, folder / WEIGHTS_FILE)
    _require_tensors(tensors, description.architecture, str(folder / WEIGHTS_FILE))
    return Checkpoint(hashlib.sha256(text).hexdigest(), description, layout, tensors)


def load_checkpoint(
    folder: Path | str | UPath, layout: ObservationLayout | None = None, name: str = "candidate"
) -> LearnedPolicy:
    """Load a policy that can act, without torch.

    Args:
        folder: A checkpoint folder.
        layout: The layout of the town it will act in; None defers that check to `LearnedPolicy.enter`.
        name: What tables will call it.

    Raises:
        CheckpointError: As `read_checkpoint`, or the policy was trained for another layout.
    """
    checkpoint = read_checkpoint(folder)
    if layout is not None:
        require_same_layout(checkpoint.layout, layout, str(UPath(folder) / DESCRIPTION_FILE))
    return LearnedPolicy(name, checkpoint.digest, checkpoint.layout, fold(checkpoint.tensors))


def _read(path: UPath) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path}: larger than {MAX_BYTES >> 30} GiB; a town's policy is a few MB")
        return bytes(path.read_bytes())
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: missing; a checkpoint is a folder with {WEIGHTS_FILE} and {DESCRIPTION_FILE}"
        ) from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error


def _parse(text: bytes, path: UPath) -> Description:
    try:
        description = Description.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "document"
        raise CheckpointError(f"{path}: {key}: {first['msg']}; restore the file or train again") from error
    if (description.format, description.format_version) != (FORMAT, FORMAT_VERSION):
        found = f"{description.format!r} version {description.format_version}"
        raise CheckpointError(f"{path}: format: found {found}; this version reads {FORMAT!r} version {FORMAT_VERSION}")
    return description


def _layout(description: Description, path: UPath) -> ObservationLayout:
    try:
        layout = ObservationLayout.from_json(json.dumps(description.layout))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: layout: not an observation layout ({error}); train again") from error
    if layout.digest != description.layout_digest:
        raise CheckpointError(f"{path}: layout_digest: is not the digest of the layout beside it; train again")
    if tuple(layout.actions) != description.actions:
        raise CheckpointError(f"{path}: actions: differ from the layout's own action table; train again")
    sizes = (len(layout.features), len(layout.actions), layout.cells)
    stated = (description.architecture.features, description.architecture.actions, description.architecture.cells)
    if sizes != stated:
        raise CheckpointError(f"{path}: architecture: does not fit the layout beside it; train again")
    return layout


def _tensors(content: bytes, path: UPath) -> Tensors:
    try:
        return load_tensors(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: not a safetensors file ({error}); restore it or train again") from error


def _architecture(tensors: Tensors) -> Architecture:
    missing = {"map.weight", "features.weight", "policy.weight"} - set(tensors)
    if missing:
        raise CheckpointError(f"checkpoint: tensor {min(missing)} is missing; save the tensors of a PolicyNetwork")
    map_hidden, cells = tensors["map.weight"].shape
    hidden, features = tensors["features.weight"].shape
    recurrent = tensors["memory.weight_hh"].shape[1] if "memory.weight_hh" in tensors else 0
    return Architecture(
        kind="two-stream-gru" if recurrent else "two-stream-mlp",
        cells=cells,
        features=features,
        actions=tensors["policy.weight"].shape[0],
        hidden=hidden,
        map_hidden=map_hidden,
        recurrent=recurrent,
    )


def _require_tensors(tensors: Tensors, architecture: Architecture, where: str) -> None:
    expected = architecture.shapes()
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in expected or name not in tensors:
            raise CheckpointError(
                f"{where}: tensor {name} is {'missing' if name in expected else 'unknown'}; train again"
            )
        tensor = tensors[name]
        if tensor.shape != expected[name] or tensor.dtype != np.float32:
            found = f"{tensor.dtype} {list(tensor.shape)}"
            raise CheckpointError(f"{where}: tensor {name} is {found}, expected float32 {list(expected[name])}")
        if not np.isfinite(tensor).all():
            raise CheckpointError(f"{where}: tensor {name} holds a number that is not finite; train again")
