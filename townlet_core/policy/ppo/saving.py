"""Training checkpoints: folders from which a training goes on to the bit, and whose policy can already act.

`NNNNNN/` holds the policy as any checkpoint does (`policy.safetensors`, `policy.json`); the optimiser's moments, the
towns with their open decisions, the weights chosen so far, and the last good ones of annealing, these in the form of
snapshots; and `training.json`,
written last, which names the digest of each file, the counters and the random streams. A folder without it, or with
another digest, is no checkpoint.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from upath import UPath

from townlet_core.config import canonical_json
from townlet_core.core.statefile import StateFile, read_statefile, write_statefile
from townlet_core.errors import CheckpointError
from townlet_core.files import file_digest, write_whole
from townlet_core.observations.layout import ObservationLayout
from townlet_core.policy.checkpoint import DESCRIPTION_FILE, WEIGHTS_FILE, read_checkpoint, save_checkpoint
from townlet_core.policy.ppo.annealing import AnnealState
from townlet_core.policy.ppo.choosing import Chosen

STATE_FILE = "training.json"
OPTIMISER_FILE, TOWNS_FILE, CHOSEN_FILE = "optimiser.safetensors", "towns.safetensors", "chosen.safetensors"
GOOD_FILE = "good.safetensors"
FILES = (WEIGHTS_FILE, DESCRIPTION_FILE, OPTIMISER_FILE, TOWNS_FILE, CHOSEN_FILE, GOOD_FILE)
FORMAT_VERSION = 1

Arrays = Mapping[str, NDArray[Any]]


class TrainingState(BaseModel):
    """`training.json`: where the training stands, what it is, and the digests of the files beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format_version: int = FORMAT_VERSION
    identity: str
    """Digest of everything that decides the training: profile, scenarios, starting weights, sources."""
    update: int
    steps: int
    transitions: int
    chosen_update: int | None
    """The update that would ship if the training ended here; None where none may."""
    chosen_return: float | None
    anneal: AnnealState | None
    """Where annealing stands; None in other modes."""
    streams: dict[str, Any]
    """State of each random stream by name, as NumPy tells it."""
    files: dict[str, str]


class Saved(NamedTuple):
    """A verified training checkpoint."""

    folder: Path
    state: TrainingState
    tensors: Mapping[str, NDArray[np.float32]]
    optimiser: Arrays
    towns: Arrays
    chosen: Chosen | None
    good: Arrays


class Standing(NamedTuple):
    """What a checkpoint is made of."""

    identity: str
    update: int
    steps: int
    transitions: int
    streams: Mapping[str, np.random.Generator]
    tensors: Mapping[str, NDArray[np.float32]]
    optimiser: Arrays
    towns: Arrays
    trained: Mapping[str, Any]
    chosen: Chosen | None = None
    anneal: AnnealState | None = None
    good: Arrays = MappingProxyType({})
    """What `annealer.Good` holds, by name; empty in other modes."""


def save_training(root: Path, standing: Standing, layout: ObservationLayout, keep: int) -> Path:
    """Write a checkpoint folder below `root`, then remove all but the newest `keep`.

    Raises:
        DataError: It cannot be written; older checkpoints are untouched.
        CheckpointError: A weight is not finite.
    """
    folder = root / f"{standing.update:06d}"
    shutil.rmtree(folder, ignore_errors=True)
    save_checkpoint(folder, standing.tensors, layout, standing.trained)
    write_statefile(folder / OPTIMISER_FILE, StateFile({}, dict(standing.optimiser)))
    write_statefile(folder / TOWNS_FILE, StateFile({}, dict(standing.towns)))
    chosen = standing.chosen
    write_statefile(folder / CHOSEN_FILE, StateFile({}, dict(chosen.tensors) if chosen else {}))
    write_statefile(folder / GOOD_FILE, StateFile({}, dict(standing.good)))
    state = TrainingState(
        identity=standing.identity,
        update=standing.update,
        steps=standing.steps,
        transitions=standing.transitions,
        chosen_update=chosen.update if chosen else None,
        chosen_return=chosen.validated_return if chosen else None,
        anneal=standing.anneal,
        streams={name: stream.bit_generator.state for name, stream in standing.streams.items()},
        files={name: file_digest(UPath(folder / name)) for name in FILES},
    )
    write_whole(UPath(folder / STATE_FILE), canonical_json(state) + b"\n")
    for old in _folders(root)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return folder


def latest_training(root: Path, identity: str) -> Saved | None:
    """The newest whole checkpoint below `root`; None where there is none yet.

    A folder that was not finished is passed over. One that was, and is not what it was, is an error.

    Raises:
        CheckpointError: It is damaged, or belongs to another training.
    """
    folder = newest_training(root)
    return None if folder is None else _read(folder, identity)


def newest_training(root: Path) -> Path | None:
    """The folder of the newest finished checkpoint below `root`, unread; None where there is none."""
    return next((folder for folder in reversed(_folders(root)) if (folder / STATE_FILE).is_file()), None)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("[0-9]" * 6) if path.is_dir())


def _read(folder: Path, identity: str) -> Saved:
    state = _state(folder / STATE_FILE)
    if state.identity != identity:
        raise CheckpointError(
            f"{folder}: belongs to another training (profile, scenarios, clone or code differ); train without --resume"
        )
    for name in FILES:
        if not (folder / name).is_file() or file_digest(UPath(folder / name)) != state.files.get(name):
            raise CheckpointError(
                f"{folder / name}: is missing or damaged; delete {folder} to go on from the one before"
            )
    tensors = read_checkpoint(folder).tensors
    optimiser, towns, best, good = (
        read_statefile(folder / name).arrays for name in (OPTIMISER_FILE, TOWNS_FILE, CHOSEN_FILE, GOOD_FILE)
    )
    chosen = None
    if state.chosen_update is not None and state.chosen_return is not None:
        chosen = Chosen(state.chosen_update, state.chosen_return, best)
    return Saved(folder, state, tensors, optimiser, towns, chosen, good)


def _state(path: Path) -> TrainingState:
    try:
        return TrainingState.model_validate(json.loads(path.read_bytes()))
    except (ValueError, ValidationError) as error:
        raise CheckpointError(f"{path}: is no state of a training; delete {path.parent} to go on without it") from error
