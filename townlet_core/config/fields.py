"""The field types that sections share: shares, money, ticks, ordered ranges and names out of a fixed list."""

from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from townlet_core.config.options import OPTION_NAMES

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
"""Model configuration of every section: no unknown key, no silent conversion, no infinities, no later change."""

NEED_NAMES = ("hunger", "hygiene", "energy")
"""The needs in array order; 1 means satisfied, 0 means desperate."""

SERVED_OPTIONS = tuple(name for name in OPTION_NAMES if name not in ("idle", "socialise"))
"""Options that an affordance can serve; idling needs no object, and company is no object."""

_Bounds = TypeVar("_Bounds", tuple[float, float], tuple[int, int])


def _ordered(bounds: _Bounds) -> _Bounds:
    if bounds[0] > bounds[1]:
        raise PydanticCustomError("townlet", "the lower bound first")
    return bounds


def _increasing(hours: tuple[int, int]) -> tuple[int, int]:
    if hours[0] >= hours[1]:
        raise PydanticCustomError("townlet", "the opening tick before the closing tick")
    return hours


def _odd(window: int) -> int:
    if window % 2 == 0:
        raise PydanticCustomError("townlet", "an odd number, so that the agent stands in the middle")
    return window


def _need(name: str) -> str:
    if name not in NEED_NAMES:
        raise PydanticCustomError("literal_error", "not a need")
    return name


def _served(name: str) -> str:
    if name not in SERVED_OPTIONS:
        raise PydanticCustomError("literal_error", "not an option")
    return name


NeedName: TypeAlias = Annotated[
    str, WithJsonSchema({"type": "string", "enum": list(NEED_NAMES)}), AfterValidator(_need)
]
ServedOption: TypeAlias = Annotated[
    str, WithJsonSchema({"type": "string", "enum": list(SERVED_OPTIONS)}), AfterValidator(_served)
]
Identifier: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
VariableName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=120)]
Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Money: TypeAlias = Annotated[float, Field(ge=0.0, le=1e9)]
NeedDelta: TypeAlias = Annotated[float, Field(ge=-1.0, le=1.0)]
Tick: TypeAlias = Annotated[int, Field(ge=0, le=100_000)]
Duration: TypeAlias = Annotated[int, Field(ge=1, le=100_000)]
ShareRange: TypeAlias = Annotated[tuple[Share, Share], AfterValidator(_ordered)]
MoneyRange: TypeAlias = Annotated[tuple[Money, Money], AfterValidator(_ordered)]
CountRange: TypeAlias = Annotated[tuple[Tick, Tick], AfterValidator(_ordered)]
TickRange: TypeAlias = Annotated[tuple[Tick, Tick], AfterValidator(_ordered)]
DurationRange: TypeAlias = Annotated[tuple[Duration, Duration], AfterValidator(_ordered)]
Hours: TypeAlias = Annotated[tuple[Tick, Tick], AfterValidator(_increasing)]
Window: TypeAlias = Annotated[int, Field(ge=3, le=31), AfterValidator(_odd)]
