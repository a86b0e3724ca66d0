"""The plan by which a candidate is judged: fixed in a file, digested, and recorded with every verdict."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.documents import read_document
from townlet_core.config.fields import STRICT, Identifier, Share
from townlet_core.config.reading import read_model
from townlet_core.config.telemetry import CANARIES, CanaryRules
from townlet_core.config.watch import Logged, Size

Positive: TypeAlias = Annotated[float, Field(gt=0.0, le=1e9)]
Level: TypeAlias = Annotated[float, Field(ge=1e-6, le=0.25)]


class DataRules(BaseModel):
    """What the dataset must offer before anything learnt from it is judged.

    An action counts as distinct when it has at least `distinct_action_share` of the decisions.
    """

    model_config = STRICT
    min_decisions: int = Field(ge=1)
    min_distinct_actions: int = Field(ge=1, le=100)
    distinct_action_share: Share
    max_clipped_share: Share


class CloningRules(BaseModel):
    """How well the clone must agree with the teacher on the decisions of held-out episodes."""

    model_config = STRICT
    min_accuracy: Share
    min_scenario_accuracy: Share
    min_margin_over_majority: Share


def _need_a_side(below: float | None, above: float | None) -> None:
    if below is None and above is None:
        raise PydanticCustomError("townlet", "`below`, `above` or both: a band without a side holds nothing")


class TrainingBand(BaseModel):
    """How far a figure may lie below and above that of the current release's training; None leaves a side free.

    In the figure's own unit when `scale` is absolute, as a share of the release's figure when it is relative.
    """

    model_config = STRICT
    below: Positive | None = None
    above: Positive | None = None
    scale: Literal["absolute", "relative"]

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        _need_a_side(self.below, self.above)
        return self


class TrainingRules(BaseModel):
    """What the log of a candidate's training must look like, where it was improved: means over the last `updates`.

    Beyond `max` or `min` fails. `bands` compare with the log of the current release's training and can only hold; they
    need a release that was trained by the same recipe (profile without name and seed), and `uncompared` says what
    follows where it was not: `allow` goes by the rest, `hold` holds. `frozen` says the same of annealing that ended
    with a key figure below its bound. A log that is missing, stale or cut short, and a
    figure that is no number, hold whatever stands here.
    """

    model_config = STRICT
    updates: int = Field(ge=1, le=10_000)
    max: dict[Logged, Size]
    min: dict[Logged, Size]
    bands: dict[Logged, TrainingBand]
    uncompared: Literal["allow", "hold"]
    frozen: Literal["allow", "hold"]


class GuardRail(BaseModel):
    """How much worse than a baseline a candidate may be on one figure.

    `margin` is what one scenario may lose, `overall` what the mean over all scenarios may lose (None: not asked), both
    in the figure's unit when `scale` is absolute, or a share of the baseline's mean when relative. `minimum`, where
    given, must hold for the candidate by itself. `step` is the least that one town can lose at once: where no town of a
    sample differs, it says how large a loss the sample could have missed.
    """

    model_config = STRICT
    margin: Positive
    scale: Literal["absolute", "relative"]
    better: Literal["more", "less"] = "more"
    overall: Positive | None = None
    minimum: float | None = None
    step: Annotated[float, Field(ge=0.0, le=1e9)] = 0.0


Mode: TypeAlias = Literal["better", "no_worse"]
"""What must be shown on the primary figure: more than the baseline's, or not less than it by more than the margin."""


class PrimaryRule(BaseModel):
    """The figure that a release is for, as the mean over scenarios, and what must be shown against each baseline."""

    model_config = STRICT
    figure: Identifier
    better: Literal["more", "less"]
    margin: Positive
    against: dict[Identifier, Mode] = Field(min_length=1)


class DriftBand(BaseModel):
    """How far a figure may fall below and rise above the current release's, as shares of its mean; None: any way."""

    model_config = STRICT
    below: Share | None = None
    above: Positive | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        _need_a_side(self.below, self.above)
        return self


class CanaryRule(BaseModel):
    """In how many more towns than a baseline's, as a share, each canary may call; those `allowed` may always call.

    Every canary that watches is judged: those of `rules`, and `slot_reuse`, whose bound stands in the town's file.
    """

    model_config = STRICT
    margin: Share
    allowed: tuple[Identifier, ...]
    rules: CanaryRules

    @field_validator("allowed")
    @classmethod
    def _known(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        if set(allowed) - set(CANARIES):
            raise PydanticCustomError("townlet", f"names of canaries ({', '.join(CANARIES)})")
        return allowed


class ComparisonRules(BaseModel):
    """How candidate and baselines are compared: in the same towns, town by town, look by look, window after window.

    A window is a set of towns; `seed`, the release that would be replaced and the window's number choose them, so that
    nobody can look for lucky ones and no release is judged where the one before it was chosen. In a window each
    scenario is lived in by `towns[0]` towns, judged, and by more up to `towns[-1]` while the verdict is open. Every
    window must pass. `alpha` is the chance, in one window and for one criterion, to pass by luck what lies at its
    bound; `fail_alpha` the chance to fail by luck in a window, over all criteria together (Holm). Both are spent over
    the looks as Lan and DeMets do for O'Brien-Fleming bounds. A window is given up when some criterion's chance still
    to pass, should things go on as they are, is below `futility`.
    """

    model_config = STRICT
    seed: int = Field(ge=0, le=2**63 - 1)
    days: int = Field(ge=1, le=3650)
    windows: int = Field(ge=1, le=10)
    towns: tuple[Annotated[int, Field(ge=2, le=100_000)], ...] = Field(min_length=1, max_length=20)
    alpha: Level
    fail_alpha: Level
    futility: Annotated[float, Field(ge=0.0, lt=0.5)]
    interval: Literal["t", "sign_flip"]
    scenarios: tuple[Identifier, ...] = Field(min_length=1)
    primary: PrimaryRule
    guard_rails: dict[Identifier, GuardRail] = Field(min_length=1)
    bands: dict[Identifier, DriftBand]
    canaries: CanaryRule | None

    @field_validator("towns")
    @classmethod
    def _growing(cls, towns: tuple[int, ...]) -> tuple[int, ...]:
        if list(towns) != sorted(set(towns)):
            raise PydanticCustomError("townlet", "towns at each look, every one more than the one before")
        return towns

    @property
    def fractions(self) -> tuple[float, ...]:
        """The share of the largest sample that each look has."""
        return tuple(towns / self.towns[-1] for towns in self.towns)


class Target(BaseModel):
    """A promise about the gate: a policy that errs in this share of its decisions, and the share of trials."""

    model_config = STRICT
    noise: Share
    share: Share


class CalibrationRules(BaseModel):
    """How the gate's own error rates are measured, and what they must be.

    `towns` of every scenario are lived in once by each policy; `trials` are then drawn from them. A policy that errs as
    `refuse` says must be refused in at least that share of trials, one that is equal promoted as better in at most
    `equal`, and a sound one promoted over one that errs as `replace` says in at least that share.
    """

    model_config = STRICT
    seed: int = Field(ge=0, le=2**63 - 1)
    towns: int = Field(ge=8, le=100_000)
    trials: int = Field(ge=10, le=1_000_000)
    noise: tuple[Share, ...] = Field(min_length=1)
    refuse: Target
    equal: Share
    replace: Target

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if not {self.refuse.noise, self.replace.noise} <= set(self.noise):
            raise PydanticCustomError("townlet", "the noise of both targets among noise, so that it is measured")
        return self


class UncomparedRule(BaseModel):
    """Whether a candidate may be released without a release to compare it with, and what it must match then."""

    model_config = STRICT
    allow: bool
    must_match: Identifier


class GatePolicy(BaseModel):
    """The whole plan. Nothing has a default: what a candidate was judged by can be read in the file.

    `first_release` holds when there is no other release; `incompatible_release` when there is one whose policy cannot
    live in the towns, since it was trained on another observation layout or action table.
    """

    model_config = STRICT
    plan: Identifier
    data: DataRules
    cloning: CloningRules
    training: TrainingRules
    comparison: ComparisonRules
    calibration: CalibrationRules
    first_release: UncomparedRule
    incompatible_release: UncomparedRule


def load_gates(path: str | Path) -> GatePolicy:
    """Load the plan. Raises ConfigError naming file, line and key; nothing in it has a default."""
    return read_model(read_document(path), GatePolicy)
