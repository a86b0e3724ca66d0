"""Key figures of a town: what it means to do well, in numbers per town."""

from typing import Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.world.rules import Names
from townlet_core.world.state import AGED_OUT, EXPECTED, NOBODY, TownState


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


def kpis_of(state: TownState, names: Names, config: TownConfig) -> dict[str, npt.NDArray[np.float64]]:
    """Return the key figures of each town since its reset, each float64 [B].

    ``survival`` is the share of lives that did not end badly: by any exit but old age, out of all lives begun.
    ``exits`` and ``arrivals`` are per agent and day, ``tenure`` is the mean days that a life has lasted, ``fitness``
    the mean agent fitness index, ``slot_reuse`` the share of embedding slots that were given before they had rested.

    The shares lie in 0..1; ``attendance`` is worked over scheduled ticks; ``return`` is the mean sum
    of rewards per agent; ``conflicts`` (ghost steps, and queues left out of impatience), ``queue_waits`` (queues
    joined), ``chats`` (good ones) and ``uses_*`` are per agent and day; ``wallet`` is in coins; ``ties`` are per agent,
    ``rivalry`` is their mean 0..1. Where relationships are off, chats, ties and rivalry are 0.
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
