"""Schema 3: there is room for two more traits of personality. Towns of schema 2 have neither, and stay as they were."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import canonical_json, config_digest, embedded_config
from townlet_core.core.statefile import StateFile
from townlet_core.world.state import AGENT_DTYPE, TOWN_DTYPE

Records = npt.NDArray[Any]


def traits(stored: StateFile) -> StateFile:
    """Widen what holds traits; the new ones are 0, as everywhere where they are off."""
    identity = stored.header["identity"]
    town = embedded_config(canonical_json(identity["config"]), "schema 2")
    wider = {
        "state.agents": widened(stored.arrays["state.agents"], AGENT_DTYPE),
        "state.towns": widened(stored.arrays["state.towns"], TOWN_DTYPE),
    }
    changes = {"config": town.model_dump(mode="json"), "config_digest": config_digest(town)}
    header = {**stored.header, "schema_version": 3, "identity": {**identity, **changes}}
    return StateFile(header, {**stored.arrays, **wider})


def widened(old: Records, dtype: np.dtype[Any]) -> Records:
    """Copy records into a form whose fields may be longer; what is new is 0."""
    new = np.zeros(old.shape, dtype)
    for name in dtype.names or ():
        copy_leading(new[name], old[name])
    return new


def copy_leading(new: Records, old: Records) -> None:
    """Copy a field into one that may be longer in its last axis."""
    if new.shape == old.shape:
        new[:] = old
    else:
        new[..., : old.shape[-1]] = old
