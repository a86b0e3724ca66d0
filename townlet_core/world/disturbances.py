"""Compiles what may upset a town's day into the table that kernels read."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.config.perturbations import PERTURBATION_KINDS, Perturbation
from townlet_core.config.price_targets import price_keys
from townlet_core.world.rules import PERTURBATION_DTYPE

PRICE_SPIKE, BLACKOUT, OUTAGE, ARRANGED_MEET, CHAOS_HOUR = range(len(PERTURBATION_KINDS))
INVITATIONS = ("random", "top_rivals", "top_friends")
AT_RANDOM, RIVALS, FRIENDS = range(len(INVITATIONS))


def perturbation_table(config: TownConfig, types: list[str]) -> npt.NDArray[Any]:
    """Return records of ``PERTURBATION_DTYPE`` in the order of the configuration."""
    table = np.zeros(len(config.perturbations.events), PERTURBATION_DTYPE)
    for row, event in zip(table, config.perturbations.events.values(), strict=True):
        row["kind"] = PERTURBATION_KINDS.index(event.kind)
        row["probability"], row["duration"] = event.prob_per_day, event.duration
        row["cooldown"], row["magnitude"] = event.cooldown_ticks, event.magnitude or (1.0, 1.0)
        row["where"] = types.index(event.where) if event.where else -1
        row["who"] = INVITATIONS.index(event.who or "random")
        row["participants"] = event.max_participants or 0
        row["prices"][: len(config.economy.prices)] = _prices(config, event)
    return table


def _prices(config: TownConfig, event: Perturbation) -> list[bool]:
    aimed = frozenset().union(*(price_keys(config, target) for target in event.targets or ()))
    return [key in aimed for key in config.economy.prices]
