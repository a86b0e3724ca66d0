"""Key figures of a town: what it means to do well, in numbers per town."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.world.rules import Names
from townlet_core.world.state import AGED_OUT, EXPECTED, NOBODY, TownState

KPI_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "survival": "share of lives begun that did not end badly, that is by any exit but old age [0 to 1]",
        "exits": "lives that ended [per agent and day]",
        "arrivals": "newcomers [per agent and day]",
        "tenure": "mean time that a life has lasted [days]",
        "fitness": "mean agent fitness index of those who live there [0 to 1]",
        "slot_reuse": "share of embedding slots that were given before they had rested [0 to 1]",
        "needs_ok_share": "share of time with all needs looked after [0 to 1]",
        "attendance": "share of scheduled working time that was worked [0 to 1]",
        "return": "sum of rewards per agent",
        "mean_reward": "reward per agent and tick",
        "clipped_share": "share of ticks whose reward was cut off by a bound [0 to 1]",
        "wallet": "money in an agent's wallet at the end [coins]",
        "rent_unpaid": "rents that an agent could not pay",
        "conflicts": "times somebody pushed past another or left a queue out of impatience [per agent and day]",
        "queue_waits": "queues joined [per agent and day]",
        "late_shifts": "shifts begun too late [per agent and day]",
        "absent_shifts": "shifts missed altogether [per agent and day]",
        "failed_uses": "uses that came to nothing [per agent and day]",
        "chats": "chats that went well [per agent and day]",
        "ties": "ties that an agent has",
        "rivalry": "mean rivalry in a tie [0 to 1]",
    }
)
"""What each key figure of a town says, with its unit, for whoever reads a table of them."""


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


def _lives(state: TownState, config: TownConfig) -> dict[str, npt.NDArray[np.float64]]:
    """Return per town what became of the lives that were lived in it, and how well those who are here live."""
    agents, towns = state.agents, state.towns
    expected = (agents["arrived_at"] == EXPECTED).sum(axis=1)
    came = towns["people"] - agents.shape[1] + len(config.opening.newcomers) - expected
    day, lives = config.clock.ticks_per_day, np.maximum(towns["people"] - expected, 1)
    days = np.maximum(agents["ticks"].sum(axis=1) / day, 1e-9)
    bad = towns["exits"].sum(axis=1) - towns["exits"][:, AGED_OUT]
    return {
        "survival": 1.0 - bad / lives,
        "exits": towns["exits"].sum(axis=1) / days,
        "arrivals": came / days,
        "tenure": agents["ticks"].sum(axis=1) / day / lives,
        "fitness": _fitness(state, config),
        "slot_reuse": towns["slots_forced"] / np.maximum(towns["slots_given"], 1),
    }


def _fitness(state: TownState, config: TownConfig) -> npt.NDArray[np.float64]:
    """Return the mean agent fitness index of those who live in each town; 0 where nobody does.

    It is the mean of three shares: of the life's ticks in which all needs were looked after, of the latest shifts
    attended (0 without a job, 1 before the first), and of the two next rents that the wallet could pay.
    """
    agents, kept = state.agents, config.employment.attendance_window
    lived = np.maximum(state.towns["tick"][:, None] - agents["arrived_at"], 1)
    back = agents["shifts"][..., None] - 1 - np.arange(kept)
    latest = np.take_along_axis(agents["attendance"], back % agents["attendance"].shape[2], axis=2)
    counted = np.minimum(agents["shifts"], kept)
    attended = np.where(back >= 0, latest, 0.0).sum(axis=2) / np.maximum(counted, 1)
    attendance = np.where(counted == 0, 1.0, attended) * (agents["employed"] > 0)
    secure = max(2.0 * config.economy.rent_per_day, 1e-12)
    index = (agents["satisfied_life"] / lived + attendance + np.minimum(agents["wallet"] / secure, 1.0)) / 3.0
    return _ratio(np.where(agents["alive"] > 0, index, 0.0), agents["alive"])


def kpi_meaning(name: str) -> str | None:
    """Return what a key figure says, in words with its unit; None for a name that is none."""
    if name.startswith("uses_"):
        return f"uses of {name.removeprefix('uses_')} finished [per agent and day]"
    return KPI_MEANINGS.get(name)


def kpis_of(state: TownState, names: Names, config: TownConfig) -> dict[str, npt.NDArray[np.float64]]:
    """Return the key figures of each town since its reset, each float64 [B]; `KPI_MEANINGS` says what they are.

    Beside those there is ``uses_NAME`` for each affordance: uses finished per agent and day. Where relationships are
    off, chats, ties and rivalry are 0.
    """
    agents = state.agents
    days = np.maximum(agents["ticks"].sum(axis=1) / config.clock.ticks_per_day, 1e-9)
    figures = {
        **_lives(state, config),
        "needs_ok_share": _ratio(agents["satisfied_ticks"], agents["ticks"]),
        "attendance": _ratio(agents["present_ticks"], agents["scheduled_ticks"]),
        "return": agents["reward_sum"].mean(axis=1),
        "mean_reward": _ratio(agents["reward_sum"], agents["ticks"]),
        "clipped_share": _ratio(agents["clipped_ticks"], agents["ticks"]),
        "wallet": agents["wallet"].mean(axis=1),
        "rent_unpaid": agents["rent_unpaid"].mean(axis=1, dtype=np.float64),
        "conflicts": agents["conflicts"].sum(axis=1) / days,
        "queue_waits": agents["queue_waits"].sum(axis=1) / days,
        "late_shifts": agents["late_shifts"].sum(axis=1) / days,
        "absent_shifts": agents["absent_shifts"].sum(axis=1) / days,
        "failed_uses": agents["failed"].sum(axis=1) / days,
        "chats": agents["chats"].sum(axis=1) / days,
        **_company(state),
    }
    uses = {f"uses_{name}": agents["finished"][:, :, k].sum(axis=1) / days for k, name in enumerate(names.affordances)}
    return {name: values.astype(np.float64) for name, values in {**figures, **uses}.items()}
