"""The configuration of a whole town, with its map and its affordances embedded."""

from typing import Literal

from pydantic import BaseModel, Field

from townlet_core.config.affordances import AffordanceManifest
from townlet_core.config.economy import Economy, Employment, Job, Queues
from townlet_core.config.fields import STRICT, Duration, DurationRange, Identifier, Share, Tick, TickRange
from townlet_core.config.hooks import HookRules
from townlet_core.config.lifecycle import EmbeddingAllocator, Lifecycle
from townlet_core.config.maps import MapConfig
from townlet_core.config.needs import Needs, Rewards
from townlet_core.config.observations import ObservationRules
from townlet_core.config.opening import Opening
from townlet_core.config.personality import OPTIONAL_TRAITS, TRAIT_NAMES, Personality
from townlet_core.config.perturbations import Perturbations
from townlet_core.config.relationships import Relationships, Stages
from townlet_core.config.weather import Weather

MAX_AGENTS = 1024
"""Most agents that one town may hold; numbers of agents and objects fit 16 bits everywhere."""


class Clock(BaseModel):
    """The day in ticks (one tick is one minute), the tick of day at which a town begins, the days of an episode."""

    model_config = STRICT
    ticks_per_day: int = Field(default=1440, ge=60, le=20_000)
    start_tick: Tick = 360
    episode_days: int = Field(default=1, ge=1, le=365)


class OptionRules(BaseModel):
    """How long an intention binds: its commitment, one stretch of idling, and the need that breaks it off."""

    model_config = STRICT
    commit_ticks: Duration = 180
    idle_ticks: Duration = 15
    hard_need: Share = 0.12


class Outage(BaseModel):
    """A utility that may fail once a day: the tick of day it starts at, its length in ticks, its probability."""

    model_config = STRICT
    utility: Literal["power", "water"]
    start: TickRange
    ticks: DurationRange
    probability: Share = 1.0


class TownConfig(BaseModel):
    """Everything that decides a town's history, together with the run seed; it stands alone, without files.

    `control` says what an agent chooses: options, whose steps follow by themselves, or primitives, the steps.
    """

    model_config = STRICT
    config_id: str = Field(min_length=1, max_length=100)
    map: MapConfig
    affordances: AffordanceManifest
    agents: int = Field(default=8, ge=1, le=MAX_AGENTS)
    clock: Clock = Field(default_factory=Clock)
    needs: Needs = Field(default_factory=Needs)
    economy: Economy = Field(default_factory=Economy)
    jobs: dict[Identifier, Job] = Field(min_length=1, max_length=100)
    employment: Employment = Field(default_factory=Employment)
    options: OptionRules = Field(default_factory=OptionRules)
    queues: Queues = Field(default_factory=Queues)
    hooks: HookRules = Field(default_factory=HookRules)
    stages: Stages = Field(default_factory=Stages)
    relationships: Relationships = Field(default_factory=Relationships)
    personality: Personality = Field(default_factory=Personality)
    lifecycle: Lifecycle = Field(default_factory=Lifecycle)
    embedding_allocator: EmbeddingAllocator = Field(default_factory=EmbeddingAllocator)
    affordance_jitter: float = Field(default=0.1, ge=0.0, le=0.5)
    rewards: Rewards = Field(default_factory=Rewards)
    control: Literal["options", "primitives"] = "options"
    observations: ObservationRules = Field(default_factory=ObservationRules)
    outages: list[Outage] = Field(default_factory=list, max_length=20)
    opening: Opening = Field(default_factory=Opening)
    weather: Weather = Field(default_factory=Weather)
    perturbations: Perturbations = Field(default_factory=Perturbations)

    @property
    def traits(self) -> tuple[str, ...]:
        """The traits that citizens have, in array order; none where relationships are off."""
        if self.stages.relationships == "OFF":
            return ()
        return tuple(name for name in TRAIT_NAMES if name not in OPTIONAL_TRAITS or getattr(self.personality, name))

    @property
    def shows_targets(self) -> bool:
        """Whether agents observe where each option would lead: as asked for, else where it is needed."""
        needed = self.observations.variant == "compact" or self.control == "primitives"
        return needed if self.observations.include_targets is None else self.observations.include_targets
