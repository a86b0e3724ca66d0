"""What an agent sees of its town: the variant, the window, and how much of the people around it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.fields import STRICT, Window

Slots = Annotated[int, Field(ge=0, le=8)]


class SocialSnippet(BaseModel):
    """Whose ties an agent sees: its closest friends, its keenest rivals, and what all ties amount to.

    `top_friends` and `top_rivals` are at most 8 together; `include_aggregates` adds the means and peaks over all ties.
    They show from `stages.relationships: B` on.
    """

    model_config = STRICT
    top_friends: Slots = 2
    top_rivals: Slots = 2
    include_aggregates: bool = True

    @model_validator(mode="after")
    def _eight_in_all(self) -> "SocialSnippet":
        if self.top_friends + self.top_rivals > 8:
            raise PydanticCustomError("townlet", "top_friends and top_rivals of at most 8 together")
        return self


class ObservationRules(BaseModel):
    """What an agent sees: the layout variant, and the side of its square map window in tiles (odd).

    `variant`: full has eight map channels, hybrid four, compact no map at all; the window then only says how far one
    sees friends and rivals. `include_targets` adds where each option would lead; null means where it is
    needed: in the compact variant, and under `control: primitives`.
    """

    model_config = STRICT
    variant: Literal["full", "hybrid", "compact"] = "hybrid"
    local_window: Window = 11
    include_targets: bool | None = None
    social_snippet: SocialSnippet = Field(default_factory=SocialSnippet)
