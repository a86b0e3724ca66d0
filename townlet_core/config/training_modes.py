"""What a policy learns from after the clone: its own life, stored decisions, both, or a life beside the teacher."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field

from townlet_core.config.fields import STRICT, Share
from townlet_core.config.relationships import read_off

Kpi = Literal["return", "survival", "attendance", "needs_ok_share"]
Mode = Literal["bc", "rollout", "replay", "mixed", "anneal"]
Rate = Annotated[float, Field(gt=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, le=100.0)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
PartShare = Annotated[float, Field(gt=0.0, lt=1.0)]
Temperature = Annotated[float, Field(gt=0.0, le=100.0)]
LargestWeight = Annotated[float, Field(ge=1.0, le=1e6)]

MODES: dict[Mode, tuple[str, ...]] = {
    "bc": (),
    "rollout": ("ppo",),
    "replay": ("replay",),
    "mixed": ("ppo", "mix"),
    "anneal": ("ppo", "anneal"),
}
"""The sections that each mode reads; it needs all of them and no others."""


class Ramp(BaseModel):
    """A figure that moves from `start` at the first update to `end` at the last, along a line or half a cosine."""

    model_config = STRICT
    start: float = Field(ge=0.0, le=1.0)
    end: float = Field(ge=0.0, le=1.0)
    shape: Literal["linear", "cosine"] = "linear"


class StageFrom(BaseModel):
    """From a cycle on (counted from 0), the stage of social rewards that the towns of a training are in."""

    model_config = STRICT
    cycle: int = Field(ge=0, le=1_000_000)
    stage: Annotated[Literal["OFF", "C1", "C2", "C3"], BeforeValidator(read_off)]


class ReplayRules(BaseModel):
    """Learning from the training side of a dataset version alone; nobody lives.

    One update goes through `minibatches` minibatches of `minibatch` decisions. A decision teaches the policy with the
    weight exp(advantage / `temperature`), at most `largest_weight`; its advantage is the recorded return over what the
    critic expects, in standard deviations of the returns (Wang et al. 2018; Peng et al. 2019). The critic learns the
    recorded returns with `value_weight`. Every `checkpoint_every` updates the policy is measured on the validation
    side and a checkpoint is written, of which the newest `keep` stay. The last update ships.
    """

    model_config = STRICT
    updates: Count = 20
    minibatches: Count = 20
    minibatch: Count = 1024
    temperature: Temperature = 1.0
    largest_weight: LargestWeight = 20.0
    value_weight: Weight = 0.5
    learning_rate: Ramp = Ramp(start=3e-4, end=3e-5)
    max_grad_norm: float = Field(default=0.5, gt=0.0, le=1e6)
    checkpoint_every: Count = 10
    keep: int = Field(default=2, ge=1, le=1000)


class MixRules(BaseModel):
    """How stored decisions join those of the policy's own life.

    `share` of the decisions that an update learns from come from the training side of the dataset version; they teach
    the policy alone, with weights as in `replay`. The critic learns from the policy's own life.
    """

    model_config = STRICT
    share: PartShare = 0.25
    temperature: Temperature = 1.0
    largest_weight: LargestWeight = 20.0


class KpiScale(BaseModel):
    """What `max_drop` is a share of: the size of the baseline, or `of`, a number in the figure's own unit.

    A figure whose zero means nothing, like the return, needs the number: its baseline may be near zero by chance.
    """

    model_config = STRICT
    of: Annotated[float, Field(gt=0.0, le=1e9)] | None = None


class AnnealRules(BaseModel):
    """From scripted to learned control: whom the teacher drives, and when that share may fall.

    In each episode each citizen is driven by the teacher with a probability that falls from `start` to 0 over `steps`
    cycles of `ppo.cycle` updates. When a cycle ends, the policy lives alone in the validation towns. If one of `kpis`
    is more than `max_drop` of the `baseline` below it (the teacher's figure in the same towns, or the policy's own
    after the first cycle), the share freezes and the weights of the last good cycle return; it falls again after a
    cycle that keeps all of them. `imitation` weighs the teacher's decisions against the policy's own; 0 learns from
    the latter alone. `min_clone_accuracy` is the agreement on held-out decisions by which the log says that the clone
    was good enough to begin with.
    """

    model_config = STRICT
    start: PartShare = 0.8
    steps: int = Field(default=5, ge=2, le=1000)
    max_drop: Share = 0.3
    baseline: Literal["teacher", "first_cycle"] = "teacher"
    kpis: dict[Kpi, KpiScale] = Field(default={kpi: KpiScale() for kpi in get_args(Kpi)}, min_length=1)
    imitation: Weight = 0.0
    min_clone_accuracy: Share = 0.9
