"""Perturbations: what upsets the ordinary day now and then, how often, and how much of it at once."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, DurationRange, Identifier, Share, Tick

PERTURBATION_KINDS = ("price_spike", "blackout", "outage", "arranged_meet", "chaos_hour")
"""Kinds of perturbation in array order."""
MAX_EVENT_SPECS = 16
"""Most perturbations that a town may list."""
MAX_EVENTS = 8
"""Most perturbations that may last at the same time."""
LAST_DAY = 100_000
"""The latest day that `not_before_day` can name: nothing happens by chance."""

Magnitude: TypeAlias = Annotated[float, Field(ge=0.1, le=10.0)]


class Perturbation(BaseModel):
    """One thing that may happen to a town, at most once a day and at any tick of it.

    `price_spike` multiplies the prices of its `targets` (price keys, shops, `market`, `global`) by `magnitude`;
    `blackout` cuts the power and `outage` the water; `arranged_meet` makes up to `max_participants` citizens
    (`who`) walk to an object of type `where`; a `chaos_hour` cuts both utilities and lets needs run down
    `magnitude` times as fast. `cooldown_ticks` pass after its end before it may happen again.
    """

    model_config = STRICT
    kind: Literal["price_spike", "blackout", "outage", "arranged_meet", "chaos_hour"]
    prob_per_day: Share
    duration: DurationRange
    cooldown_ticks: Tick = 0
    magnitude: tuple[Magnitude, Magnitude] | None = None
    targets: list[Identifier] | None = Field(default=None, min_length=1, max_length=20)
    who: Literal["random", "top_rivals", "top_friends"] | None = None
    where: Identifier | None = None
    max_participants: int | None = Field(default=None, ge=2, le=50)


class Perturbations(BaseModel):
    """What happens by chance, and the bounds within which it may.

    At most `max_concurrent` last at once, more than one during no more than `max_overlap_share` of the ticks; after
    an end, nothing begins for `global_cooldown_ticks`; one perturbation begins at most `max_events_per_window` times
    (0: any number) in a window of `window_ticks`; a citizen is not invited again for `per_agent_cooldown_ticks`.
    Exits are suspended during a perturbation and for `grace_window_ticks` after it. Nothing happens by chance before
    day `not_before_day` (the first is 0).
    """

    model_config = STRICT
    max_concurrent: int = Field(default=1, ge=1, le=MAX_EVENTS)
    max_overlap_share: Share = 0.05
    global_cooldown_ticks: Tick = 0
    per_agent_cooldown_ticks: Tick = 0
    grace_window_ticks: Tick = 60
    window_ticks: int = Field(default=1440, ge=1, le=100_000)
    max_events_per_window: int = Field(default=1, ge=0, le=100)
    not_before_day: Tick = 0
    events: dict[Identifier, Perturbation] = Field(default_factory=dict, max_length=MAX_EVENT_SPECS)
