"""Readings: parts of the state by name, as a scenario's expectations name them."""

from collections.abc import Callable

import numpy as np

from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.core import Simulation
from townlet_core.scenarios.probes import Reading, Values, living
from townlet_core.world.state import AGENT_DTYPE, NEED_NAMES, TIE_DTYPE, UTILITY_NAMES

SCALARS = tuple(name for name in AGENT_DTYPE.names or () if not AGENT_DTYPE[name].shape)
CITIZEN_PARTS = (*NEED_NAMES, *TRAIT_NAMES, *SCALARS)
"""What can be read of a citizen."""
OBJECT_PARTS = ("stock", "waiting", "reserved")
"""What can be read of an object; `reserved` is 1 while somebody holds it."""
TIE_PARTS = tuple(name for name in TIE_DTYPE.names or () if name != "other")
"""What can be read of a tie; 0 where there is none."""
TOWN_PARTS = ("treasury", "supplier", *UTILITY_NAMES)
"""What can be read of a town; a utility is 1 while it works."""
PRICE = "price"
"""What can be read of a price key: what is asked for it now."""
PARTS = (PRICE, *CITIZEN_PARTS, *OBJECT_PARTS, *TIE_PARTS, *TOWN_PARTS)


def citizen_reading(part: str, person: int | None) -> Reading:
    """Read a part of everybody, [towns, places], or of one person, [towns, 1]; NaN for who is not there."""
    take: Callable[[Simulation], Values]
    if part in NEED_NAMES:
        take = lambda sim: sim.agents["needs"][..., NEED_NAMES.index(part)]  # noqa: E731
    elif part in TRAIT_NAMES:
        take = lambda sim: sim.agents["personality"][..., TRAIT_NAMES.index(part)]  # noqa: E731
    else:
        take = lambda sim: sim.agents[part]  # noqa: E731

    def read(sim: Simulation) -> Values:
        there = living(sim, person)
        values = np.where(there, take(sim).astype(np.float64), np.nan)
        return values if person is None else np.fmax.reduce(values, axis=1, keepdims=True)

    return read


def object_reading(part: str, fixtures: list[int]) -> Reading:
    """Read a part of some objects, [towns, objects]."""

    def read(sim: Simulation) -> Values:
        records = sim.state.fixtures[:, fixtures]
        values = records["user"] >= 0 if part == "reserved" else records[part]
        return np.asarray(values, np.float64)

    return read


def tie_reading(side: str, who: int, other: int) -> Reading:
    """Read one side of what person `who` feels about `other`, [towns, 1]; 0 where there is no tie, or one is gone."""

    def read(sim: Simulation) -> Values:
        ties, whose = sim.state.ties, living(sim, who)
        place = np.where(living(sim, other).any(axis=1), living(sim, other).argmax(axis=1), len(whose[0]))
        felt = (ties["other"] == place[:, None, None]) & whose[:, :, None]
        return np.asarray(np.where(felt, ties[side], 0.0).sum(axis=(1, 2))[:, None], np.float64)

    return read


def price_reading(number: int) -> Reading:
    """Read what is asked for something now, [towns, 1]."""
    return lambda sim: np.asarray(sim.state.towns["prices"][:, number : number + 1], np.float64)


def town_reading(part: str) -> Reading:
    """Read a part of the town itself, [towns, 1]."""

    def read(sim: Simulation) -> Values:
        towns = sim.state.towns
        values = towns["utilities"][:, UTILITY_NAMES.index(part)] if part in UTILITY_NAMES else towns[part]
        return np.asarray(values, np.float64)[:, None]

    return read
