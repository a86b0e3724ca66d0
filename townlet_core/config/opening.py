"""How a town begins: what is not left to the draw, citizen by citizen, and what stands ready in its objects."""

from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.fields import STRICT, Money, NeedName, Share
from townlet_core.config.maps import MAX_SIDE

AgentName: TypeAlias = Annotated[str, Field(pattern=r"^agent_[1-9][0-9]*$", max_length=20)]
FixtureName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*_[1-9][0-9]*$", max_length=80)]
PersonalityName: TypeAlias = Literal["extroversion", "forgiveness", "ambition", "patience", "frugality"]
Feeling: TypeAlias = Annotated[float, Field(ge=-1.0, le=1.0)]
Column: TypeAlias = Annotated[int, Field(ge=0, lt=MAX_SIDE)]


class OpeningTie(BaseModel):
    """What a citizen feels about another at the first tick; with `mutual` the other feels the same."""

    model_config = STRICT
    mutual: bool
    trust: Feeling = 0.0
    familiarity: Feeling = 0.0
    rivalry: Share = 0.0


class OpeningCitizen(BaseModel):
    """What is certain about one citizen at the first tick; whatever is left out is drawn as for everybody.

    `tile` is [row, column] of a free tile; `beside` names an object, such as `shower_1`, to stand next to. Objects are
    numbered by type in reading order of the map. `needs` and `personality` may name some of their parts only.
    """

    model_config = STRICT
    tile: tuple[Column, Column] | None = None
    beside: FixtureName | None = None
    needs: dict[NeedName, Share] = Field(default_factory=dict)
    wallet: Money | None = None
    ingredients: int | None = Field(default=None, ge=0, le=10_000)
    personality: dict[PersonalityName, Share] = Field(default_factory=dict)
    ties: dict[AgentName, OpeningTie] = Field(default_factory=dict)


class Opening(BaseModel):
    """How a town begins: `citizens` by name (`agent_1` …), and the pieces of `stock` in objects (`fridge_1` …).

    As many of the last places as `newcomers` has entries are empty at first, each taken after so many ticks, by
    somebody who brings what `lifecycle.arrivals` says. Nobody else's draws change by what is written here.
    """

    model_config = STRICT
    citizens: dict[AgentName, OpeningCitizen] = Field(default_factory=dict)
    stock: dict[FixtureName, Annotated[int, Field(ge=0, le=10_000)]] = Field(default_factory=dict)
    newcomers: list[Annotated[int, Field(ge=1, le=100_000)]] = Field(default_factory=list)


class OpeningFeeling(NamedTuple):
    """One direction of an opening tie: `who` feels this about `other` (numbers of agents, from 0)."""

    who: int
    other: int
    tie: OpeningTie


def agent_number(name: AgentName) -> int:
    """Give the number, from 0, of the agent with a name: `agent_1` is 0."""
    return int(name.removeprefix("agent_")) - 1


def opening_feelings(opening: Opening) -> list[OpeningFeeling]:
    """List every direction of every opening tie, a mutual one in both, in the order of the agents."""
    found = []
    for name, citizen in opening.citizens.items():
        for other, tie in citizen.ties.items():
            pair = agent_number(name), agent_number(other)
            found.append(OpeningFeeling(*pair, tie))
            if tie.mutual:
                found.append(OpeningFeeling(pair[1], pair[0], tie))
    return sorted(found, key=lambda feeling: feeling[:2])
