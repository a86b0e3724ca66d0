"""Schema 3: room for two more traits of personality, and who joins a queue is counted apart from conflicts."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import canonical_json, config_digest, embedded_config
from townlet_core.core.statefile import StateFile
from townlet_core.world.state import AGENT_DTYPE, TOWN_DTYPE

Records = npt.NDArray[Any]


def widening(stored: StateFile) -> StateFile:
    """Widen what holds traits, the new ones 0 as everywhere where they are off, and count queues apart."""
    identity = stored.header["identity"]
    town = embedded_config(canonical_json(identity["config"]), "schema 2")
    agents = widened(stored.arrays["state.agents"], AGENT_DTYPE)
    count_queues_apart(agents)
    wider = {"state.agents": agents, "state.towns": widened(stored.arrays["state.towns"], TOWN_DTYPE)}
    changes = {"config": town.model_dump(mode="json"), "config_digest": config_digest(town)}
    header = {**stored.header, "schema_version": 3, "identity": {**identity, **changes}}
    return StateFile(header, {**stored.arrays, **wider})


def widened(old: Records, dtype: np.dtype[Any]) -> Records:
    """Copy records into a form with more, or with longer fields; what is new is 0."""
    new = np.zeros(old.shape, dtype)
    for name in set(dtype.names or ()) & set(old.dtype.names or ()):
        copy_leading(new[name], old[name])
    return new


def copy_leading(new: Records, old: Records) -> None:
    """Copy a field into one that may be longer in its last axis."""
    if new.shape == old.shape:
        new[:] = old
    else:
        new[..., : old.shape[-1]] = old


def count_queues_apart(agents: Records) -> None:
    """Call what earlier files count as conflicts by its name, joining a queue; of conflicts they tell nothing."""
    agents["queue_waits"], agents["conflicts"] = agents["conflicts"], 0
