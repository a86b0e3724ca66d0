"""The map of a town: a picture in rows of characters, and a legend that says what each character is."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, Identifier

MAX_SIDE = 250
"""Longest side of a map in tiles; distances and positions then fit the kernels' small integers."""

MAX_OBJECTS = 6000
"""Most objects that one map may hold; each costs two bytes a tile for the way to it."""

Terrain: TypeAlias = Literal["wall", "door", "floor", "road", "grass", "home"]
LegendKey: TypeAlias = Annotated[str, Field(min_length=1, max_length=1)]


class LegendEntry(BaseModel):
    """What one character of the picture stands for: the ground, and the object that stands on it if any."""

    model_config = STRICT
    terrain: Terrain
    object: Identifier | None = None


class MapConfig(BaseModel):
    """A town's ground plan. Row 0 is the north edge, column 0 the west edge; one character is one tile."""

    model_config = STRICT
    map_id: str = Field(min_length=1, max_length=100)
    legend: dict[LegendKey, LegendEntry] = Field(min_length=1)
    rows: list[str] = Field(min_length=3, max_length=MAX_SIDE)
