"""What is rehearsed beside the gate: golden rollouts against forgetting, and one way of seeing against another."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.documents import read_document
from townlet_core.config.fields import STRICT, Identifier, Share
from townlet_core.config.reading import read_model
from townlet_core.config.scenario import CaptureRules

Margin: TypeAlias = Annotated[float, Field(ge=0.0, le=1e9)]
Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
Variant: TypeAlias = Literal["full", "hybrid", "compact"]


class Band(BaseModel):
    """How far a candidate's mean may fall short of the reference's in one scenario, in the figure's unit."""

    model_config = STRICT
    margin: Margin
    better: Literal["more", "less"] = "more"


class GoldenRules(BaseModel):
    """The golden towns, the same for every release for good, and how much of what was once possible may be lost.

    Each scenario's `towns` live as long as its own `check` says; the seed chooses them. The newest `releases` earlier
    ones are the reference, and the best of them sets the bar of each figure. Where none can live in the towns the
    teacher is the reference (`teacher`), or nothing may be released (`refuse`). `expectations` is the share of towns
    by which the candidate may keep a promise of a scenario less often than the reference, where that kept it less often
    than promised, or than was promised.
    """

    model_config = STRICT
    seed: Seed
    towns: int = Field(ge=1, le=10_000)
    scenarios: tuple[Identifier, ...] = Field(min_length=1)
    releases: int = Field(ge=1, le=100)
    first_release: Literal["teacher", "refuse"]
    expectations: Share
    bands: dict[Identifier, Band] = Field(min_length=1)


class VariantBand(BaseModel):
    """How far a figure may differ between two variants, as a share of its mean by the first one, or `of` that number.

    A figure whose zero means nothing, like the return, needs the number: its mean may be near zero by chance. `step` is
    the least that one town can differ by at once: where no town differs, it says how large a difference so many towns
    could have missed.
    """

    model_config = STRICT
    share: Share
    of: Annotated[float, Field(gt=0.0, le=1e9)] | None = None
    step: Margin = 0.0


class VariantRules(BaseModel):
    """How observation variants are compared: the same days of the teacher, seen differently, and the same new towns.

    The first variant is the one that the others are compared with. The days of the capture `date` are learnt from. Each
    variant is cloned `trainings` times, with other seeds, by the profile of that name without its second stage. All
    clones live in the same `towns` of every scenario, chosen by `seed`. A figure agrees when the interval of its mean
    difference, at level `alpha` on either side, lies within its band, and so does the mean of every training.
    """

    model_config = STRICT
    variants: tuple[Variant, ...] = Field(min_length=2)
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    capture: CaptureRules
    profile: Identifier
    trainings: int = Field(ge=1, le=100)
    scenarios: tuple[Identifier, ...] = Field(min_length=1)
    seed: Seed
    towns: int = Field(ge=2, le=10_000)
    days: int = Field(ge=1, le=365)
    alpha: Annotated[float, Field(ge=1e-6, le=0.25)]
    bands: dict[Identifier, VariantBand] = Field(min_length=1)

    @field_validator("variants")
    @classmethod
    def _different(cls, variants: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(variants)) < len(variants):
            raise PydanticCustomError("townlet", "each variant once")
        return variants


class RehearsalPlan(BaseModel):
    """The whole file. Nothing decisive has a default: what a candidate was held to can be read in it."""

    model_config = STRICT
    golden: GoldenRules
    variants: VariantRules


def load_rehearsal(path: str | Path) -> RehearsalPlan:
    """Load what is rehearsed. Raises ConfigError naming file, line and key."""
    return read_model(read_document(path), RehearsalPlan)
