"""The opening of a town as tables: what is certain about citizens and ties when the town settles."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig
from townlet_core.config.opening import OpeningCitizen, agent_number, opening_feelings
from townlet_core.config.opening_checks import standing_tiles
from townlet_core.config.personality import TRAIT_NAMES
from townlet_core.world.state import NEED_NAMES

DRAWN = -1
"""Stands where a value is left to the draw; no value that can be set is negative."""


def _record(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(fields, align=True)))


BEGINNING_DTYPE = _record(
    [
        ("needs", "f4", (len(NEED_NAMES),)),
        ("personality", "f4", (len(TRAIT_NAMES),)),
        ("wallet", "f8"),
        ("ingredients", "i4"),
        ("who", "i4"),
        ("y", "i4"),
        ("x", "i4"),
    ]
)
"""What is certain about one citizen; -1 where it is drawn (in ``y``: where it begins on its bed)."""

FEELING_DTYPE = _record([("trust", "f4"), ("familiarity", "f4"), ("rivalry", "f4"), ("who", "i4"), ("other", "i4")])
"""One direction of a tie that exists from the first tick on."""


class Opening(NamedTuple):
    """A compiled opening. Only settling reads it, so it is no part of the rules that every kernel is handed.

    Attributes:
        citizens: Records of ``BEGINNING_DTYPE``, one per citizen of whom something is certain.
        feelings: Records of ``FEELING_DTYPE``.
        newcomers: int32 [k], after how many ticks each of the last k places is taken; until then it is empty.
    """

    citizens: npt.NDArray[Any]
    feelings: npt.NDArray[Any]
    newcomers: npt.NDArray[np.int32]


def compile_opening(config: TownConfig) -> Opening:
    """Compile the opening of a validated configuration; both tables are empty where nothing is certain."""
    citizens = np.full(len(config.opening.citizens), 0, BEGINNING_DTYPE)
    tiles = standing_tiles(config)
    for row, (name, citizen) in zip(citizens, config.opening.citizens.items(), strict=True):
        row["who"] = agent_number(name)
        row["y"], row["x"] = tiles.get(agent_number(name), (DRAWN, DRAWN))
        _fill(row, citizen)
    feelings = opening_feelings(config.opening)
    table = np.zeros(len(feelings), FEELING_DTYPE)
    for row, feeling in zip(table, feelings, strict=True):
        row["who"], row["other"] = feeling.who, feeling.other
        for side in ("trust", "familiarity", "rivalry"):
            row[side] = getattr(feeling.tie, side)
    return Opening(citizens, table, np.array(config.opening.newcomers, np.int32))


def _fill(row: Any, citizen: OpeningCitizen) -> None:
    row["needs"] = [citizen.needs.get(name, DRAWN) for name in NEED_NAMES]
    row["personality"] = [citizen.personality.get(name, DRAWN) for name in TRAIT_NAMES]  # type: ignore[call-overload]
    row["wallet"] = DRAWN if citizen.wallet is None else citizen.wallet
    row["ingredients"] = DRAWN if citizen.ingredients is None else citizen.ingredients
