"""Money and work: prices, rent and the treasury, jobs and their shifts, and how lateness is treated."""

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.fields import (
    STRICT,
    CountRange,
    Duration,
    Identifier,
    Money,
    MoneyRange,
    Share,
    ShareRange,
    Tick,
    TickRange,
)

MAX_PRICES = 16
"""Most price keys that a town may have; the kernels keep room for so many."""


def _default_prices() -> dict[str, float]:
    """Sorted by key, as whatever is read from a file is: prices are numbered in this order."""
    return {"clothes": 4.0, "groceries": 1.2, "meal": 0.9, "shower": 0.05}


class PriceMoves(BaseModel):
    """How prices wander: every night each key's factor moves by up to `daily_max` and a share back towards 1.

    `reversion` is that share; a factor stays within 1 - `bound` and 1 + `bound`. `daily_max` 0: prices stand still.
    """

    model_config = STRICT
    daily_max: Share = 0.0
    bound: float = Field(default=0.2, ge=0.0, le=0.9)
    reversion: Share = 0.2


class Truck(BaseModel):
    """The truck that brings goods to object types with `restock: truck`, once a day at a tick of `arrives`.

    It comes with `probability`, and fills each object up with `size` pieces at most.
    """

    model_config = STRICT
    arrives: TickRange = (480, 600)
    probability: Share = 0.95
    size: int = Field(default=20, ge=1, le=10_000)


class Clothes(BaseModel):
    """Clothes: their condition (1 = new) falls every night; worn ones make life harder until new ones are bought.

    Below `worn_below`, hygiene falls `hygiene_factor` times as fast and a talk succeeds `chat_factor` times as often.
    """

    model_config = STRICT
    enabled: bool = False
    wear_per_day: Share = 0.05
    worn_below: Share = 0.3
    initial: ShareRange = (0.2, 1.0)
    hygiene_factor: float = Field(default=1.5, ge=1.0, le=10.0)
    chat_factor: Share = 0.7


class Economy(BaseModel):
    """What things cost and who starts with how much money.

    `prices` by price key, before moves, weather and spikes; `rent_per_day` per agent; `treasury` is what the town
    starts with and pays wages from; `restock_cost` is the price of one piece of stock by object type; `spoilage` is
    the share of an object type's stock that goes bad every night.
    """

    model_config = STRICT
    prices: dict[Identifier, Money] = Field(default_factory=_default_prices, max_length=MAX_PRICES)
    price_moves: PriceMoves = Field(default_factory=PriceMoves)
    rent_per_day: Money = 6.6
    initial_wallet: MoneyRange = (8.0, 20.0)
    initial_ingredients: CountRange = (0, 4)
    treasury: Money = 2000.0
    restock_cost: dict[Identifier, Money] = Field(default_factory=dict)
    truck: Truck = Field(default_factory=Truck)
    spoilage: dict[Identifier, Share] = Field(default_factory=dict)
    clothes: Clothes = Field(default_factory=Clothes)


class Job(BaseModel):
    """A daily shift at an object type: its ticks of the day, the wage per tick, the fine, the people wanted."""

    model_config = STRICT
    workplace: Identifier
    start_tick: Tick
    end_tick: Tick
    wage_rate: float = Field(ge=0.0, le=10.0)
    lateness_penalty: float = Field(default=0.1, ge=0.0, le=100.0)
    openings: int = Field(default=1, ge=1, le=1024)

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Job":
        if self.end_tick <= self.start_tick:
            raise PydanticCustomError("townlet", "an end_tick after start_tick")
        return self

    @property
    def wage_per_day(self) -> float:
        """Wage of a whole shift without lateness."""
        return self.wage_rate * (self.end_tick - self.start_tick)


class Employment(BaseModel):
    """How a shift is judged: when to set out, when late becomes absent, what it costs, and when the job is lost.

    All `_ticks` are ticks: `pre_shift_ticks` and `await_start_ticks` before a shift, `grace_ticks` and `absent_cutoff`
    after its start, `absence_slack` away from work once one has been there. Each tick late or away costs
    `late_tick_penalty`, a missed shift `absence_penalty`. `attendance_window` is in shifts.

    After `max_absent_shifts` (0: never) within seven days a citizen is proposed for dismissal, at most
    `exit_queue_limit` at a time, and loses the job `exit_review_window` ticks later unless somebody defers it; at most
    `daily_exit_cap` a day (0: no limit).
    """

    model_config = STRICT
    pre_shift_ticks: int = Field(default=45, ge=0, le=600)
    await_start_ticks: int = Field(default=20, ge=0, le=600)
    grace_ticks: int = Field(default=5, ge=0, le=120)
    absent_cutoff: int = Field(default=30, ge=0, le=600)
    absence_slack: int = Field(default=20, ge=0, le=600)
    late_tick_penalty: float = Field(default=0.002, ge=0.0, le=1.0)
    absence_penalty: float = Field(default=0.2, ge=0.0, le=5.0)
    max_absent_shifts: int = Field(default=3, ge=0, le=7)
    attendance_window: int = Field(default=3, ge=1, le=14)
    daily_exit_cap: int = Field(default=2, ge=0, le=50)
    exit_queue_limit: int = Field(default=8, ge=0, le=100)
    exit_review_window: int = Field(default=1440, ge=1, le=100_000)


class Queues(BaseModel):
    """How waiting works.

    `ghost_step_after`: ticks after which a blocked walker passes whoever is in the way, 0 for never; nobody who uses
    an object is moved. `patience_ticks`: how long one waits before giving up. `cooldown_ticks`: the pause before one
    may use the same public object again. `age_priority_weight`: how much a tick that one has waited in vain, since a
    queue last served one, counts beside a tick of waiting here; with 0 it is first come, first served.
    """

    model_config = STRICT
    ghost_step_after: int = Field(default=3, ge=0, le=100)
    patience_ticks: Duration = 90
    cooldown_ticks: int = Field(default=0, ge=0, le=600)
    age_priority_weight: float = Field(default=0.1, ge=0.0, le=1.0)
