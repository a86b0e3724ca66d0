"""A demonstration: a town, and what befalls it at which tick."""

from typing import Any

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, Identifier, Tick


class Moment(BaseModel):
    """A command that is given after `tick` ticks; `townlet console` lists the commands with `help`."""

    model_config = STRICT
    tick: Tick
    command: str = Field(min_length=1, max_length=60)
    args: dict[str, Any] = Field(default_factory=dict)


class DemoFile(BaseModel):
    """A demonstration as written: `town` is the file of a town or a scenario; it lives `ticks` ticks by `seed`."""

    model_config = STRICT
    demo: Identifier
    description: str = Field(default="", max_length=500)
    town: str = Field(min_length=1)
    seed: int = Field(default=7, ge=0, le=2**63 - 1)
    ticks: int = Field(ge=1, le=100_000)
    timeline: list[Moment] = Field(min_length=1, max_length=10_000)
