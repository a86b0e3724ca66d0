"""How a policy is trained: what it learns from, sizes of the network, steps of the optimisers, and what is shipped."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.fields import STRICT, Duration, Identifier, Share
from townlet_core.config.training_modes import (
    MODES,
    AnnealRules,
    Count,
    MixRules,
    Mode,
    Ramp,
    Rate,
    ReplayRules,
    StageFrom,
    Weight,
)

Factor = Annotated[float, Field(gt=0.0, lt=1.0)]


class ImprovementRules(BaseModel):
    """Proximal policy optimisation in the towns of `scenarios`, from the clone's weights on.

    One update lives `ticks` ticks in `towns` towns of each scenario and goes through the finished decisions `epochs`
    times in minibatches of `minibatch`; `sequence` is how many decisions of a life a network with a memory unrolls.
    `trace` is the lambda of the advantages per decision. `clip` bounds the probability ratio, `value_clip` the critic
    (in standard deviations of the return; 0 lets it free). The epochs of an update stop early when the policy has
    moved by more than `target_kl` nats (0 never stops). The first `critic_warmup` updates teach the value head alone.
    Every `checkpoint_every` updates a checkpoint is written and the newest `keep` stay. With `validation_towns`, the
    clone and each checkpoint live in so many towns of each scenario that are there for nothing else, and the best
    return ships whose survival and attendance, over all scenarios, lie at most `validation_slack` below the teacher's;
    with 0 towns, the last update does. `life_cost` is what the end of a life costs in learning beyond the town's own
    penalty, so that no policy trades lives for wages; `distress_cost` what each tick costs in which a citizen's hunger
    is below the town's `rewards.needs_floor` or its energy is used up; `absence_cost` what each missed shift costs.
    `cycle` updates are a cycle; `social_stages` says in which stage of social rewards the towns are from which cycle
    on, and until the first of them they are in their own. Before the cycle `perturbations_from_cycle` no perturbation
    happens by chance in these towns, from its first midnight on they happen as the towns say; without the key they
    always do.
    """

    model_config = STRICT
    scenarios: tuple[Identifier, ...] = Field(default=("ordinary_day",), min_length=1)
    towns: int = Field(default=32, ge=1, le=4096)
    ticks: Duration = 720
    updates: Count = 50
    epochs: int = Field(default=4, ge=1, le=100)
    minibatch: Count = 1024
    sequence: int = Field(default=16, ge=1, le=1000)
    trace: Share = 0.95
    clip: Rate = 0.2
    value_clip: Weight = 0.0
    value_weight: Weight = 0.5
    entropy: Ramp = Ramp(start=0.01, end=0.0)
    learning_rate: Ramp = Ramp(start=3e-4, end=3e-5)
    target_kl: Share = 0.02
    max_grad_norm: float = Field(default=0.5, gt=0.0, le=1e6)
    critic_warmup: int = Field(default=2, ge=0, le=1_000_000)
    checkpoint_every: Count = 10
    keep: int = Field(default=2, ge=1, le=1000)
    validation_towns: int = Field(default=0, ge=0, le=4096)
    validation_slack: Share = 0.0
    cycle: Count = 10
    life_cost: float = Field(default=0.0, ge=0.0, le=1000.0)
    distress_cost: float = Field(default=0.0, ge=0.0, le=100.0)
    absence_cost: float = Field(default=0.0, ge=0.0, le=1000.0)
    social_stages: tuple[StageFrom, ...] = ()
    perturbations_from_cycle: int | None = Field(default=None, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _stages_in_order(self) -> Self:
        if any(before.cycle >= after.cycle for before, after in pairwise(self.social_stages)):
            raise PydanticCustomError("townlet", "`social_stages` in rising order of their cycles")
        return self


class TrainingProfile(BaseModel):
    """One way to train: a clone first, then what `mode` says it learns from.

    `bc` stops at the clone, `rollout` learns from its own life (section `ppo`), `replay` from the dataset version
    (section `replay`), `mixed` from both (`ppo` and `mix`), `anneal` from a life in which the teacher drives ever
    fewer citizens (`ppo` and `anneal`).
    `patience` is in epochs without improvement on validation episodes; `class_balance` weighs actions from their
    share (0) to evenly (1); `hidden` and `map_hidden` are layer widths, `recurrent` the width of a memory (0 for none).
    `discount` is the factor per tick of every return. `ships` says which stage the candidate is.
    """

    model_config = STRICT
    profile: Identifier
    mode: Mode = "bc"
    seed: int = Field(default=7, ge=0, le=2**63 - 1)
    epochs: int = Field(default=30, ge=1, le=10_000)
    batch_size: Count = 512
    learning_rate: Rate = 1e-3
    weight_decay: Share = 1e-4
    hidden: int = Field(default=128, ge=1, le=8192)
    map_hidden: int = Field(default=64, ge=1, le=8192)
    recurrent: int = Field(default=0, ge=0, le=8192)
    patience: int = Field(default=6, ge=1, le=10_000)
    class_balance: Share = 0.5
    value_weight: Weight = 0.1
    discount: Factor = 0.99
    ships: Literal["clone", "improved"] = "clone"
    ppo: ImprovementRules | None = None
    replay: ReplayRules | None = None
    mix: MixRules | None = None
    anneal: AnnealRules | None = None

    @model_validator(mode="after")
    def _sections_of_the_mode(self) -> Self:
        wanted = MODES[self.mode]
        for section in ("ppo", "replay", "mix", "anneal"):
            given = getattr(self, section) is not None
            if section in wanted and not given:
                raise PydanticCustomError("townlet", f"a section `{section}`, which mode `{self.mode}` learns by")
            if given and section not in wanted:
                fitting = " or ".join(f"`{mode}`" for mode, sections in MODES.items() if section in sections)
                text = f"no section `{section}`, which mode `{self.mode}` does not read; it belongs to mode {fitting}"
                raise PydanticCustomError("townlet", text)
        return self

    @model_validator(mode="after")
    def _ships_what_is_made(self) -> Self:
        if self.ships == "improved" and self.mode == "bc":
            raise PydanticCustomError("townlet", "a mode that improves the clone, such as `rollout`, or `ships: clone`")
        return self

    @model_validator(mode="after")
    def _annealing_can_end(self) -> Self:
        if self.anneal is None or self.ppo is None:
            return self
        least = self.anneal.steps * self.ppo.cycle
        if self.ppo.updates < least:
            text = f"`ppo.updates` of at least {least}: {self.anneal.steps} steps of {self.ppo.cycle} updates each"
            raise PydanticCustomError("townlet", text)
        if not self.ppo.validation_towns:
            raise PydanticCustomError("townlet", "`ppo.validation_towns` of at least 1: annealing is judged there")
        return self
