"""A scenario: a town, what is different in it, what must happen there, and how much of it a capture records."""

from typing import Any, NamedTuple

from pydantic import BaseModel, Field

from townlet_core.config.expectations import MAX_EXPECTATIONS, CheckRules, Expectation
from townlet_core.config.fields import STRICT, Identifier, Share
from townlet_core.config.town import TownConfig


class CaptureRules(BaseModel):
    """How much one capture records: towns, days per town, and the share of decisions that explore."""

    model_config = STRICT
    towns: int = Field(default=12, ge=1, le=4096)
    days: int = Field(default=1, ge=1, le=365)
    exploration: Share = 0.05


class ScenarioFile(BaseModel):
    """A scenario as written: the town file it starts from, the keys that it overrides, and what must happen.

    A scenario with `capture` belongs to the line that learns; one without it is only ever checked.
    """

    model_config = STRICT
    scenario: Identifier
    description: str = Field(default="", max_length=500)
    town: str = Field(min_length=1)
    overrides: dict[str, Any] = Field(default_factory=dict)
    capture: CaptureRules | None = None
    check: CheckRules = Field(default_factory=CheckRules)
    expectations: list[dict[str, Any]] = Field(default_factory=list, max_length=MAX_EXPECTATIONS)


class Scenario(NamedTuple):
    """A scenario with its overrides applied, ready to run; `capture` is None where the line does not record it."""

    name: str
    description: str
    config: TownConfig
    capture: CaptureRules | None
    check: CheckRules = CheckRules()
    expectations: tuple[Expectation, ...] = ()
