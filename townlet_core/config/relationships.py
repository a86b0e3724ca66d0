"""Relationships: which stage of social life a town has reached, and how ties grow and fade."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from townlet_core.config.fields import STRICT, Duration, Share

Fade = Annotated[float, Field(ge=0.0, le=1.0)]


def read_off(value: object) -> object:
    """Read YAML's unquoted OFF, which is the boolean false, as the stage that it means."""
    return "OFF" if value is False else value


class Stages(BaseModel):
    """How far social life is switched on.

    `relationships`: OFF keeps no ties at all; A keeps them; B also shows them, and the personality, to the agent.
    `social_rewards`: C1 rewards chats, C2 also the avoidance of rivals, C3 also charges for quarrels.
    """

    model_config = STRICT
    relationships: Annotated[Literal["OFF", "A", "B"], BeforeValidator(read_off)] = "OFF"
    social_rewards: Annotated[Literal["OFF", "C1", "C2", "C3"], BeforeValidator(read_off)] = "OFF"


class Chats(BaseModel):
    """Conversations: the pause after one, how far one looks for company (tiles), and how often one succeeds.

    A chat succeeds with `success` x (1 + 0.3 trust)(1 + 0.2 familiarity), within 0.05 and 0.98.
    """

    model_config = STRICT
    cooldown_ticks: Duration = 30
    radius: int = Field(default=8, ge=1, le=40)
    success: Share = 0.7


class TieFade(BaseModel):
    """What each side of a tie loses in one tick, towards zero."""

    model_config = STRICT
    trust: Fade = 0.0
    familiarity: Fade = 0.0
    rivalry: Fade = 0.005


class Conflicts(BaseModel):
    """How much rivalry a conflict makes: `increment` x its intensity, which is kept within 0.1 and 5.

    The intensity is `ghost_boost` where somebody is passed who stands in the way, and 1 + `queue_boost` x those who
    wait on where somebody leaves a queue in impatience.
    """

    model_config = STRICT
    increment: Share = 0.15
    ghost_boost: float = Field(default=1.0, ge=0.0, le=5.0)
    queue_boost: float = Field(default=0.0, ge=0.0, le=2.0)


class Relationships(BaseModel):
    """The ties that an agent can keep, their fading, and what a rival is.

    `max_ties` per agent; a tie whose three sides are all below `forget_below` is lost; from `avoid_threshold` of
    rivalry on, agents keep out of each other's way; `personality_matters` lets forgiveness, extroversion and ambition
    bend what events do.
    """

    model_config = STRICT
    max_ties: int = Field(default=6, ge=1, le=32)
    fade_per_tick: TieFade = Field(default_factory=TieFade)
    forget_below: Share = 0.02
    avoid_threshold: Share = 0.7
    personality_matters: bool = True
    chats: Chats = Field(default_factory=Chats)
    conflict: Conflicts = Field(default_factory=Conflicts)


class SocialRewards(BaseModel):
    """What company is worth in one tick: a chat, its trust and familiarity, an avoided rival, a quarrel."""

    model_config = STRICT
    chat_base: float = Field(default=0.01, ge=0.0, le=0.05)
    coeff_trust: float = Field(default=0.3, ge=0.0, le=1.0)
    coeff_familiarity: float = Field(default=0.2, ge=0.0, le=1.0)
    avoid_conflict: float = Field(default=0.005, ge=0.0, le=0.02)
    quarrel_cost: float = Field(default=0.01, ge=0.0, le=0.05)
