"""How fast the needs fall, and what an agent is rewarded for."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.fields import STRICT, Share, ShareRange
from townlet_core.config.incentives import Curiosity, Shaping
from townlet_core.config.relationships import SocialRewards

DecayRate = Annotated[float, Field(ge=0.0, le=0.1)]


class NeedRates(BaseModel):
    """What each need loses in one waking tick, in need units (1 = satisfied)."""

    model_config = STRICT
    hunger: DecayRate = 0.0012
    hygiene: DecayRate = 0.0009
    energy: DecayRate = 0.0010


class Needs(BaseModel):
    """How the needs of every agent begin and fall, and when hunger kills.

    `asleep_factor` scales the decay of sleepers; `initial` is the range that a need is drawn from.
    """

    model_config = STRICT
    decay_per_tick: NeedRates = Field(default_factory=NeedRates)
    asleep_factor: Share = 0.4
    initial: ShareRange = (0.45, 0.95)
    starvation_threshold: Share = 0.03


class NeedsWeights(BaseModel):
    """How much each need counts in the reward."""

    model_config = STRICT
    hunger: float = Field(default=1.0, ge=0.5, le=2.0)
    hygiene: float = Field(default=0.6, ge=0.2, le=1.0)
    energy: float = Field(default=0.8, ge=0.4, le=1.5)


class RewardClip(BaseModel):
    """The guards around the reward: bounds per tick and episode, and the ticks around a death without praise."""

    model_config = STRICT
    clip_per_tick: float = Field(default=0.2, ge=0.01, le=1.0)
    clip_per_episode: float = Field(default=50.0, ge=1.0, le=200.0)
    no_positive_within_death_ticks: int = Field(default=10, ge=0, le=200)


class Rewards(BaseModel):
    """What an agent is rewarded for in one tick; punctuality never counts more than hunger.

    With a need below `needs_floor`, neither company nor curiosity is rewarded.
    `faint_penalty` is for a death or a life in misery, `eviction_penalty` for being put out of home or town.
    """

    model_config = STRICT
    needs_weights: NeedsWeights = Field(default_factory=NeedsWeights)
    needs_scale: float = Field(default=0.05, ge=0.0, le=1.0)
    survival_tick: float = Field(default=0.002, ge=0.0, le=0.01)
    wage_rate: float = Field(default=0.01, ge=0.0, le=0.05)
    punctuality_bonus: float = Field(default=0.05, ge=0.0, le=0.1)
    faint_penalty: float = Field(default=-1.0, ge=-5.0, le=0.0)
    needs_floor: float = Field(default=0.15, ge=0.0, le=0.5)
    eviction_penalty: float = Field(default=-2.0, ge=-5.0, le=0.0)
    social: SocialRewards = Field(default_factory=SocialRewards)
    shaping: Shaping = Field(default_factory=Shaping)
    curiosity: Curiosity = Field(default_factory=Curiosity)
    clip: RewardClip = Field(default_factory=RewardClip)

    @model_validator(mode="after")
    def _punctuality_below_hunger(self) -> "Rewards":
        if self.punctuality_bonus > self.needs_weights.hunger:
            raise PydanticCustomError("townlet", "a punctuality_bonus of at most needs_weights.hunger")
        return self
