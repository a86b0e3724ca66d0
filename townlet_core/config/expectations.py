"""What a scenario promises to happen: measures of a town's life, and what is demanded of them.

An expectation is written flat, `{event: shift_late, subject: agent_2, exactly: 1}`. One part says what is measured in
each town, and is told by the key that names its kind; the rest is the demand.
"""

from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.documents import Document
from townlet_core.config.explain import unknown_name
from townlet_core.config.fields import STRICT, Identifier, Share
from townlet_core.config.reading import read_model

MAX_EXPECTATIONS = 50


class Demand(BaseModel):
    """What is demanded of a measured value, in how large a share of the towns; `shows` says why in words."""

    model_config = STRICT
    at_least: float | None = None
    at_most: float | None = None
    exactly: float | None = None
    share_of_towns: Share = 1.0
    shows: str = Field(default="", max_length=200)

    @model_validator(mode="after")
    def _can_be_met(self) -> "Demand":
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            raise PydanticCustomError("townlet", "'exactly' alone, or bounds without it")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise PydanticCustomError("townlet", "an at_least that is not above at_most")
        return self

    @property
    def bounded(self) -> bool:
        """Whether anything is demanded of the value."""
        return any(bound is not None for bound in (self.at_least, self.at_most, self.exactly))


class EventPattern(BaseModel):
    """Which events are meant: a kind, and if given whose, with whom, at which object (or object type), for what use.

    `other` is the second agent of what two people do; `affordance` belongs to the events of a use, `utility` to those
    of an outage, `weather` to its changes, `perturbation` to what upsets the day.
    """

    model_config = STRICT
    event: Identifier
    subject: Identifier | None = None
    other: Identifier | None = None
    object: Identifier | None = None
    affordance: Identifier | None = None
    utility: Identifier | None = None
    weather: Identifier | None = None
    perturbation: Identifier | None = None


class EventMeasure(EventPattern):
    """How often such events come, or the largest value that one carries, or the tick of the first one.

    `largest` and `first_tick` of events that never come meet no demand.
    """

    model_config = STRICT
    take: Literal["count", "largest", "first_tick"] = "count"


class OrderMeasure(BaseModel):
    """Events that come one after another, each after the one before it; the demand is that all of them come."""

    model_config = STRICT
    order: list[EventPattern] = Field(min_length=2, max_length=12)


class KpiMeasure(BaseModel):
    """A key figure of the whole town at the end, by its name in `townlet simulate --report`."""

    model_config = STRICT
    kpi: Identifier


class StateMeasure(BaseModel):
    """A part of the state: of a citizen (a need, `wallet`, …), of an object (`stock`, `waiting`, `reserved`), of the
    tie of one citizen `towards` another, or of the town (`treasury`, `power`; the `price` of a price key).

    `over` says when: at the end, at its lowest or highest, or how much it changed from the first tick to the last.
    Without `of`, every citizen, or every object that is meant, must meet the demand.
    """

    model_config = STRICT
    state: Identifier
    of: Identifier | None = None
    towards: Identifier | None = None
    over: Literal["end", "lowest", "highest", "change"] = "end"


class OptionMeasure(BaseModel):
    """The share of a citizen's living ticks, or of everybody's, that an option was followed."""

    model_config = STRICT
    option: Identifier
    of: Identifier | None = None


class RotationMeasure(BaseModel):
    """How the users of an object (or object type) take turns.

    `users` counts who completed a use; `in_a_row` is the longest row of uses of one object that one citizen began while
    others waited; `longest_wait` is in ticks, of those who were served and those who gave up.
    """

    model_config = STRICT
    rotation: Identifier
    take: Literal["users", "in_a_row", "longest_wait"] = "users"


class ObservationMeasure(BaseModel):
    """What the citizens perceive: one feature by name, or `any`.

    `out_of_range` counts values that are not finite or outside the range that the layout declares; `largest_change` is
    the largest step of a value from one tick to the next.
    """

    model_config = STRICT
    observation: str = Field(min_length=1, max_length=100)
    take: Literal["out_of_range", "largest_change"] = "out_of_range"


Measure: TypeAlias = (
    EventMeasure | OrderMeasure | KpiMeasure | StateMeasure | OptionMeasure | RotationMeasure | ObservationMeasure
)

KINDS: dict[str, type[BaseModel]] = {
    "event": EventMeasure,
    "order": OrderMeasure,
    "kpi": KpiMeasure,
    "state": StateMeasure,
    "option": OptionMeasure,
    "rotation": RotationMeasure,
    "observation": ObservationMeasure,
}
"""The key that tells what an expectation measures."""


class Expectation(NamedTuple):
    """What is measured, what is demanded of it, and the document it was read from, for errors at its keys."""

    measure: Measure
    demand: Demand
    document: Document


class CheckRules(BaseModel):
    """How a scenario is checked: how many towns live for how many ticks from the start, with which seed."""

    model_config = STRICT
    towns: int = Field(default=8, ge=1, le=512)
    ticks: int = Field(default=1440, ge=1, le=100_000)
    seed: int = Field(default=7, ge=0)


def read_expectations(document: Document) -> tuple[Expectation, ...]:
    """Read the list `expectations` of a scenario's document.

    Raises:
        ConfigError: An expectation measures nothing, demands nothing, or holds a key or value that does not fit.
    """
    entries = document.data.get("expectations", [])
    return tuple(_expectation(document.below(("expectations", index))) for index in range(len(entries)))


def _expectation(document: Document) -> Expectation:
    keys = document.data
    kinds = [kind for kind in KINDS if kind in keys]
    if len(kinds) > 1:
        raise document.error((kinds[1],), f"this measures '{kinds[0]}' already; write an expectation for each")
    model = KINDS[kinds[0]] if kinds else None
    known = {*Demand.model_fields, *(model.model_fields if model else KINDS)}
    for key in keys:
        if key not in known:
            raise document.error((key,), unknown_name("key", key, known))
    if model is None:
        raise document.error((), f"says nothing to measure; expected one of the keys {', '.join(KINDS)}")
    measure: Any = read_model(document.keeping(model.model_fields), model)
    demand = read_model(document.keeping(Demand.model_fields), Demand)
    if demand.bounded == (model is OrderMeasure):
        reason = "an order is met or not; remove the bounds" if demand.bounded else "demands nothing; give it a bound"
        raise document.error((), f"{reason} (at_least, at_most, exactly)")
    return Expectation(measure, demand, document)
