"""Weather: what the sky does in a town, how it slows people down outdoors, and what it does to prices."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.fields import STRICT, Duration, Identifier, Share

WEATHER_NAMES = ("clear", "rain", "snow", "storm")
"""Kinds of weather in array order."""


def _weather(name: str) -> str:
    if name not in WEATHER_NAMES:
        raise PydanticCustomError("literal_error", "no weather")
    return name


def _no_standstill(ticks: int) -> int:
    if ticks == 1:
        raise PydanticCustomError("townlet", "0 for no pauses, or 2 or more, so that people get on")
    return ticks


WeatherName: TypeAlias = Annotated[
    str, WithJsonSchema({"type": "string", "enum": list(WEATHER_NAMES)}), AfterValidator(_weather)
]
Pause: TypeAlias = Annotated[int, Field(ge=0, le=100), AfterValidator(_no_standstill)]
PriceFactor: TypeAlias = Annotated[float, Field(ge=0.1, le=10.0)]


class WeatherKind(BaseModel):
    """One kind of weather.

    `turns_to` gives the probability, at each interval, that another kind follows; what is left to 1 is that it
    lasts. Outdoors people stand still in every `pause_every`-th tick (0: never). `prices` are factors by price key,
    by shop, or by the groups `market` (what shops sell) and `global` (every price).
    """

    model_config = STRICT
    turns_to: dict[WeatherName, Share] = Field(default_factory=dict)
    pause_every: Pause = 0
    prices: dict[Identifier, PriceFactor] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _leaves_a_chance_to_stay(self) -> "WeatherKind":
        if sum(self.turns_to.values()) > 1.0 + 1e-9:
            raise PydanticCustomError("townlet", "turns_to with probabilities that add up to at most 1")
        return self


def _default_kinds() -> dict[str, WeatherKind]:
    return {
        "clear": WeatherKind(turns_to={"rain": 0.12, "snow": 0.02}),
        "rain": WeatherKind(turns_to={"clear": 0.35, "storm": 0.05}, pause_every=8),
        "snow": WeatherKind(turns_to={"clear": 0.35}, pause_every=5, prices={"market": 1.05}),
        "storm": WeatherKind(turns_to={"rain": 0.5}, pause_every=4, prices={"market": 1.1}),
    }


class Weather(BaseModel):
    """The weather of a town: a Markov chain that may turn every `interval_ticks`, drawn from the events stream."""

    model_config = STRICT
    enabled: bool = False
    interval_ticks: Duration = 120
    start: WeatherName = "clear"
    kinds: dict[WeatherName, WeatherKind] = Field(default_factory=_default_kinds)

    @model_validator(mode="after")
    def _every_kind_is_described(self) -> "Weather":
        reached = {self.start, *(name for kind in self.kinds.values() for name in kind.turns_to)}
        for name in sorted(reached - self.kinds.keys()):
            raise PydanticCustomError("townlet", "a kind for '{name}', which can follow", {"name": name})
        return self
