"""The affordance manifest: which object types exist, and what a citizen can do with them."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.fields import (
    SERVED_OPTIONS,
    STRICT,
    Duration,
    Hours,
    Identifier,
    NeedDelta,
    NeedName,
    ServedOption,
    Share,
)
from townlet_core.config.hooks import AffordanceHooks

WORKPLACE = "workplace"
"""Stands for an affordance's object where the object is the one that the agent's job names."""

MAX_OBJECT_TYPES = 30
"""Most object types that a manifest may define."""
MAX_PER_OPTION = 4
MAX_AFFORDANCES = MAX_PER_OPTION * len(SERVED_OPTIONS)
MAX_SHOPS = 8
"""Most affordances for one option and so in all, and most shops with a till: the kernels keep room for so many."""


Condition: TypeAlias = Annotated[str, Field(min_length=1, max_length=160)]
"""A sentence of the precondition language, such as `wallet >= 0.5 and not occupied`."""


class ObjectType(BaseModel):
    """A kind of thing: how much it holds, how it fills up again, whose till its sales go to, what it runs on.

    `stock` is what each such object starts with and `capacity` what it can hold, both in pieces; an object
    type without `stock` never runs out. `restock: nightly` refills it to `capacity` at day's end, `restock: truck`
    when the truck comes (`economy.truck`).
    """

    model_config = STRICT
    stock: int | None = Field(default=None, ge=0, le=10_000)
    capacity: int | None = Field(default=None, ge=1, le=10_000)
    restock: Literal["nightly", "truck"] | None = None
    shop: Identifier | None = None
    utility: Literal["power", "water"] | None = None


class Affordance(BaseModel):
    """One use of one object type: the option it serves, its ticks, what it takes and what it gives.

    `effects` come at completion and `per_tick` with every tick of use; both change needs, in need units
    (1 = satisfied). `hours` are the ticks of the day between which a use may begin; `price` is a key of
    `economy.prices`; `gives_meals` go into the household's fridge; `mends_clothes` is added to the condition of
    the user's clothes (1 = new). All conditions of `requires` must hold when an agent chooses and again when the use
    begins; docs/affordances.md has their language.
    """

    model_config = STRICT
    option: ServedOption
    object: Identifier
    duration: Duration
    takes_stock: int = Field(default=0, ge=0, le=1000)
    takes_ingredients: int = Field(default=0, ge=0, le=1000)
    gives_meals: int = Field(default=0, ge=0, le=1000)
    gives_ingredients: int = Field(default=0, ge=0, le=1000)
    mends_clothes: Share = 0.0
    price: Identifier | None = None
    hours: Hours | None = None
    requires: list[Condition] = Field(default_factory=list, max_length=8)
    asleep: bool = False
    hooks: AffordanceHooks = Field(default_factory=AffordanceHooks)
    effects: dict[NeedName, NeedDelta] = Field(default_factory=dict)
    per_tick: dict[NeedName, NeedDelta] = Field(default_factory=dict)


class AffordanceManifest(BaseModel):
    """Everything that can be done in a town, by affordance id, and the object types it is done with."""

    model_config = STRICT
    objects: dict[Identifier, ObjectType] = Field(min_length=1, max_length=MAX_OBJECT_TYPES)
    affordances: dict[Identifier, Affordance] = Field(
        min_length=1, json_schema_extra={"maxProperties": MAX_AFFORDANCES}
    )
