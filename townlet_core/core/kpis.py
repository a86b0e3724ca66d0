"""Key figures of a town: what it means to do well, in numbers per town."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.world.rules import Names
from townlet_core.world.state import NOBODY, TownState


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return part / whole per town, 0 where there is no whole."""
    total = whole.sum(axis=1).astype(np.float64)
    share: npt.NDArray[np.float64] = np.divide(part.sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    return share


def _company(state: TownState) -> dict[str, npt.NDArray[np.float64]]:
    """Return per town how many ties an agent has, and how much rivalry is in a tie."""
    towns, agents, _ = state.ties.shape
    kept = (state.ties["other"] != NOBODY).reshape(towns, -1)
    rivalry = np.where(kept, state.ties["rivalry"].reshape(towns, -1), 0.0)
    return {"ties": kept.sum(axis=1) / agents, "rivalry": _ratio(rivalry, kept)}


def kpis_of(state: TownState, names: Names, config: TownConfig) -> dict[str, npt.NDArray[np.float64]]:
    """Return the key figures of each town since its reset, each float64 [B].

    ``survival`` and the shares lie in 0..1; ``attendance`` is worked over scheduled ticks; ``return`` is the mean sum
    of rewards per agent; ``conflicts``, ``chats`` (good ones) and ``uses_*`` are per agent and day; ``wallet`` is in
    coins; ``ties`` are per agent, ``rivalry`` is their mean 0..1. Where relationships are off, these three are 0.
    """
    agents = state.agents
    days = np.maximum(agents["ticks"].sum(axis=1) / config.clock.ticks_per_day, 1e-9)
    figures = {
        "survival": agents["alive"].mean(axis=1, dtype=np.float64),
        "needs_ok_share": _ratio(agents["satisfied_ticks"], agents["ticks"]),
        "attendance": _ratio(agents["present_ticks"], agents["scheduled_ticks"]),
        "return": agents["reward_sum"].mean(axis=1),
        "mean_reward": _ratio(agents["reward_sum"], agents["ticks"]),
        "clipped_share": _ratio(agents["clipped_ticks"], agents["ticks"]),
        "wallet": agents["wallet"].mean(axis=1),
        "rent_unpaid": agents["rent_unpaid"].mean(axis=1, dtype=np.float64),
        "conflicts": agents["conflicts"].sum(axis=1) / days,
        "failed_uses": agents["failed"].sum(axis=1) / days,
        "chats": agents["chats"].sum(axis=1) / days,
        **_company(state),
    }
    uses = {f"uses_{name}": agents["finished"][:, :, k].sum(axis=1) / days for k, name in enumerate(names.affordances)}
    return {name: values.astype(np.float64) for name, values in {**figures, **uses}.items()}
