"""Since schema 2 citizens may leave, and others come instead. Towns of schema 1 go on as they were: nobody comes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig, canonical_json, config_digest, embedded_config
from townlet_core.core import Simulation
from townlet_core.core.operations import LOOK
from townlet_core.core.statefile import StateFile
from townlet_core.snapshots.widening import copy_leading, count_queues_apart
from townlet_core.world.state import FAINTED, SHIFT_AWAIT, SHIFT_LATE, SHIFT_ON_TIME

Records = npt.NDArray[Any]
AS_IT_WAS: dict[str, dict[str, Any]] = {
    "lifecycle": {
        "collapse_ticks": 0, "exposure_ticks": 0, "unpaid_days": 0, "unemployed_days": 0, "chronic_share": 0.0,
        "exits_per_day": 0, "exit_cooldown_ticks": 0, "arrivals": {"enabled": False},
    },
    "employment": {"max_absent_shifts": 0, "absence_penalty": 0.0, "absence_slack": 600},
}  # fmt: skip
"""Rules under which nobody leaves or loses a job but for what schema 1 knew."""

WIDER = ("personality", "trait_shift")
"""Fields that are longer today; what they held is still the first part of them."""


def lives(stored: StateFile) -> StateFile:
    """Lay what a file of schema 1 holds over towns of today that have just been settled, and look around anew."""
    identity = stored.header["identity"]
    town = _town_of(identity["config"])
    sim = Simulation(town, identity["towns"], identity["seed"], first_town=identity["first_town"])
    for name, array in sim.arrays().items():
        _lay_over(array, stored.arrays[name])
    _bring_up_to_date(sim, stored.arrays["state.agents"])
    for number in range(identity["towns"]):
        sim.operate(number, 0, LOOK)
    changes = {
        "config": town.model_dump(mode="json"),
        "config_digest": config_digest(town),
        "layout_digest": sim.layout.digest,
    }
    return StateFile({**stored.header, "schema_version": 3, "identity": {**identity, **changes}}, sim.arrays())


def _town_of(config: dict[str, Any]) -> TownConfig:
    extended = {**config, **{name: {**config.get(name, {}), **rules} for name, rules in AS_IT_WAS.items()}}
    return embedded_config(canonical_json(extended), "schema 1")


def _lay_over(array: Records, old: Records) -> None:
    """Copy what fits, field by field; what is new keeps the value that a town begins with."""
    if array.dtype.names is None:
        if array.shape == old.shape:
            array[:] = old
        return
    for name in array.dtype.names:
        if name in (old.dtype.names or ()) and (array[name].shape == old[name].shape or name in WIDER):
            copy_leading(array[name], old[name])


def _bring_up_to_date(sim: Simulation, old: Records) -> None:
    """Number the states of a shift as today, keep attendance longer, count queues apart and the dead as starved."""
    agents, minute = sim.agents, sim.state.towns["tick"][:, None] % sim.config.clock.ticks_per_day
    agents["shift_state"] = old["shift_state"] + (old["shift_state"] >= SHIFT_AWAIT)
    on_shift = (agents["shift_state"] >= SHIFT_ON_TIME) & (agents["shift_state"] <= SHIFT_LATE + 1)
    agents["shift_ticks"] = np.where(on_shift, minute - sim.rules.citizens["shift_start"] + 1, 0)
    agents["was_punctual"] = agents["shift_state"] == SHIFT_ON_TIME
    _keep_attendance(agents, old)
    count_queues_apart(agents)
    sim.state.towns["exits"][:, FAINTED] = (agents["alive"] == 0).sum(axis=1)


def _keep_attendance(agents: Records, old: Records) -> None:
    kept, known = agents["attendance"].shape[2], old["attendance"].shape[2]
    agents["attendance"] = 0.0
    for back in range(1, known + 1):
        shift = old["shifts"].astype(np.int64) - back
        for town, who in np.argwhere(shift >= 0).tolist():
            number = int(shift[town, who])
            agents["attendance"][town, who, number % kept] = old["attendance"][town, who, number % known]
