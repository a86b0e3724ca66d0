"""Rules: a town's configuration compiled once into scalars and tables that kernels read."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from townlet_core.config.economy import MAX_PRICES

WORKPLACE_CODE = -2
NO_UTILITY = -1
NO_SHOP = -1
NO_PRICE = -1
NEVER, NIGHTLY, TRUCK = range(3)
RELATIONSHIP_STAGES = ("OFF", "A", "B")
SOCIAL_STAGES = ("OFF", "C1", "C2", "C3")


HOOKS = ("share_meal", "pay_first", "refund", "waste")
SHARE_MEAL, PAY_FIRST, REFUND, WASTE = 1, 2, 4, 8
"""The bit of each built-in hook, in the order of ``HOOKS``."""


def record_of(fields: list[tuple[Any, ...]]) -> np.dtype[Any]:
    """Return the aligned record type of these fields, as kernels read it."""
    return np.dtype((np.record, np.dtype(fields, align=True)))


AFFORDANCE_DTYPE = record_of(
    [
        ("effects", "f4", (3,)),
        ("per_tick", "f4", (3,)),
        ("price", "f8"),  # before moves, weather and spikes
        ("mends_clothes", "f4"),
        ("option", "i4"),
        ("type", "i4"),
        ("duration", "i4"),
        ("takes_stock", "i4"),
        ("takes_ingredients", "i4"),
        ("gives_meals", "i4"),
        ("gives_ingredients", "i4"),
        ("opens", "i4"),
        ("closes", "i4"),
        ("asleep", "i4"),
        ("shop", "i4"),
        ("price_key", "i4"),
        ("for_clothes", "i4"),  # has no other purpose
        ("first_row", "i4"),  # conditions: rows of the code, those that may differ from object to object last
        ("bound_row", "i4"),
        ("last_row", "i4"),
        ("at_home", "i4"),  # objects to look at: where they begin in ``lists``, and how many
        ("home_stride", "i4"),
        ("per_home", "i4"),
        ("nearest", "i4"),
        ("near", "i4"),
        ("public", "i4"),
        ("publics", "i4"),
        ("before", "i4"),  # built-in hooks, a bit each
        ("after", "i4"),
        ("fail", "i4"),
    ]
)
"""One affordance: what a use needs, takes, gives and changes."""

FIXTURE_RULES_DTYPE = record_of(
    [
        ("restock_cost", "f8"),
        ("type", "i4"),
        ("y", "i4"),
        ("x", "i4"),
        ("home", "i4"),
        ("owner", "i4"),
        ("utility", "i4"),
        ("stock", "i4"),
        ("capacity", "i4"),
        ("restock", "i4"),  # NEVER, NIGHTLY or TRUCK
        ("spoilage", "f4"),
    ]
)
"""What does not change about an object: where it stands and whose it is."""

CITIZEN_DTYPE = record_of(
    [
        ("wage", "f8"),
        ("lateness_penalty", "f8"),
        ("home", "i4"),
        ("bed", "i4"),
        ("fridge", "i4"),
        ("workplace", "i4"),
        ("job", "i4"),
        ("shift_start", "i4"),
        ("shift_end", "i4"),
    ]
)
"""What does not change about an agent: home, bed, job and shift (minutes of the day)."""

OUTAGE_DTYPE = record_of([("probability", "f8"), ("start", "i4", (2,)), ("ticks", "i4", (2,)), ("utility", "i4")])
"""One planned outage: drawn once a day, begins in a range of minutes, lasts a range of ticks."""

PERTURBATION_DTYPE = record_of(
    [
        ("probability", "f8"),
        ("magnitude", "f8", (2,)),
        ("duration", "i4", (2,)),
        ("cooldown", "i4"),
        ("kind", "i4"),
        ("where", "i4"),  # an object type
        ("who", "i4"),
        ("participants", "i4"),
        ("prices", "u1", (MAX_PRICES,)),  # which price keys it multiplies
    ]
)
"""One thing that may upset the day: how likely it is, how long it lasts, what it does."""


CODE_DTYPE = record_of([("value", "f8"), ("operation", "i4"), ("fact", "i4")])
"""One row of the conditions' machine: the operation, the number that it pushes, the fact that it pushes.

A row that ends a condition has its number among the affordance's conditions for a fact.
"""


class Rules(NamedTuple):
    """A compiled configuration; kernels read it and never write it.

    Attributes:
        scalars: Record of ``SCALARS_DTYPE`` [1].
        affordances: Records of ``AFFORDANCE_DTYPE``, in manifest order.
        code: Records of ``CODE_DTYPE``, what the preconditions are compiled to.
        serving: For each option its affordances, -1 padded, int32 [options, 4].
        fixtures: Records of ``FIXTURE_RULES_DTYPE`` [O], sorted by type.
        ranges: Where each object type begins in ``fixtures``, int32 [types + 1].
        lists: Objects to look at, int16: those of each home, the public ones, the nearest public ones of each tile;
            the affordances say where theirs begin.
        citizens: Records of ``CITIZEN_DTYPE`` [N].
        outages: Records of ``OUTAGE_DTYPE``.
        perturbations: Records of ``PERTURBATION_DTYPE``.
        terrain: uint8 [H, W].
        fixture_at: int16 [H, W].
        home_at: int16 [H, W].
        distance: uint16 [O, H, W], stored tile by tile.
        cells: The empty town's packed map with its margin, uint32 [H + 2m, W + 2m].
        ways: For each object and tile (with margin) the step that leads there as two packed channels, uint16
            [O, H + 2m, W + 2m]; empty unless agents see the ``full`` variant.
        homes: ``home_at`` with the margin, int16 [H + 2m, W + 2m]; empty likewise.
    """

    scalars: npt.NDArray[Any]
    affordances: npt.NDArray[Any]
    code: npt.NDArray[Any]
    serving: npt.NDArray[np.int32]
    fixtures: npt.NDArray[Any]
    ranges: npt.NDArray[np.int32]
    lists: npt.NDArray[np.int16]
    citizens: npt.NDArray[Any]
    outages: npt.NDArray[Any]
    perturbations: npt.NDArray[Any]
    terrain: npt.NDArray[np.uint8]
    fixture_at: npt.NDArray[np.int16]
    home_at: npt.NDArray[np.int16]
    distance: npt.NDArray[np.uint16]
    cells: npt.NDArray[np.uint32]
    ways: npt.NDArray[np.uint16]
    homes: npt.NDArray[np.int16]


class Names(NamedTuple):
    """What the numbers of a town are called, for events, telemetry and datasets.

    ``requires`` are the preconditions of each affordance as they were written.
    """

    agents: tuple[str, ...]
    fixtures: tuple[str, ...]
    affordances: tuple[str, ...]
    options: tuple[str, ...]
    jobs: tuple[str, ...]
    prices: tuple[str, ...] = ()
    perturbations: tuple[str, ...] = ()
    requires: tuple[tuple[str, ...], ...] = ()
