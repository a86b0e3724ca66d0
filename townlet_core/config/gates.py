"""The plan by which a candidate is judged: fixed in a file, digested, and recorded with every verdict."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from townlet_core.config.documents import read_document
from townlet_core.config.fields import STRICT, Identifier, Share
from townlet_core.config.loading import read_model

Positive: TypeAlias = Annotated[float, Field(gt=0.0, le=1e9)]


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


class GuardRail(BaseModel):
    """How much worse than a baseline a candidate may be on one figure, of which more is better.

    `margin` is in the figure's unit when `scale` is absolute, or a share of the baseline's mean when relative.
    `minimum`, where given, must hold for the candidate by itself.
    """

    model_config = STRICT
    margin: Positive
    scale: Literal["absolute", "relative"]
    minimum: float | None = None


class ComparisonRules(BaseModel):
    """How candidate and baselines are compared: on the same towns, town by town, scenario by scenario.

    Every scenario that was evaluated is judged; those listed must be among them, each with at least `min_towns` towns
    that lived for `days`. `seed` chooses the towns: it stands in the plan so that nobody can look for lucky ones.
    """

    model_config = STRICT
    confidence: Annotated[float, Field(ge=0.5, lt=1.0)]
    seed: int = Field(ge=0, le=2**63 - 1)
    min_towns: int = Field(ge=2, le=100_000)
    days: int = Field(ge=1, le=3650)
    scenarios: tuple[Identifier, ...] = Field(min_length=1)
    baselines: tuple[Identifier, ...] = Field(min_length=1)
    guard_rails: dict[Identifier, GuardRail] = Field(min_length=1)


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
    comparison: ComparisonRules
    first_release: UncomparedRule
    incompatible_release: UncomparedRule


def load_gates(path: str | Path) -> GatePolicy:
    """Load the plan. Raises ConfigError naming file, line and key; nothing in it has a default."""
    return read_model(read_document(path), GatePolicy)
