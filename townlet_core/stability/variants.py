"""Whether it matters what citizens see: clones of one teacher that see differently, in the same towns."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from townlet_core.config import digest
from townlet_core.config.rehearsal import VariantBand, VariantRules
from townlet_core.stability.criteria import FROZEN, Figure, number
from townlet_core.stability.pairs import Pairs, reach

Floats = NDArray[np.float64]
Lives = Mapping[tuple[str, str], Floats]
"""How the clones of a variant lived: float64 [trainings, towns] by (scenario, figure)."""

Agreement = Literal["within", "outside", "not shown"]


class FigureComparison(BaseModel):
    """One figure of one variant against the first: the mean over the scenarios, paired town by town.

    `interval` is that of `difference`, `limit` what it must lie within on either side, `trainings` the mean difference
    of each pair of trainings.
    """

    model_config = FROZEN
    figure: str
    variant: str
    first: Figure
    other: Figure
    difference: Figure
    interval: tuple[float, float] | None
    limit: Figure
    trainings: tuple[Figure, ...]
    verdict: Agreement
    reason: str


class Schooling(BaseModel):
    """What the clones of a variant learnt: decisions, and the agreement with the teacher of each on held-out ones."""

    model_config = FROZEN
    decisions: int
    accuracy: tuple[float, ...]


class VariantComparison(BaseModel):
    """How observation variants compare, and exactly what that was found from.

    `same_teacher` says whether all variants were shown the same choices, rewards and episodes of the teacher: where
    they were not, a difference says nothing about what was seen.
    """

    model_config = FROZEN
    plan: str
    engine: str
    same_teacher: bool
    schooling: dict[str, Schooling]
    figures: tuple[FigureComparison, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest(self)

    @property
    def agrees(self) -> bool:
        """Whether the teacher was the same and every figure was shown to lie within its band."""
        return self.same_teacher and bool(self.figures) and all(one.verdict == "within" for one in self.figures)


class _Gap(NamedTuple):
    """The difference of two variants on one figure: means, interval, limit, and the means of the trainings."""

    first: float
    other: float
    mean: float
    low: float
    high: float
    limit: float
    trainings: tuple[float, ...]


def compare_figures(rules: VariantRules, lives: Mapping[str, Lives]) -> tuple[FigureComparison, ...]:
    """Compare every variant with the first on every figure of the plan.

    Args:
        rules: The bands.
        lives: How the clones of each variant lived, in the same towns.
    """
    first, *others = rules.variants
    return tuple(
        _compared(figure, band, variant, rules, lives[first], lives[variant])
        for variant in others
        for figure, band in rules.bands.items()
    )


def _compared(
    figure: str, band: VariantBand, variant: str, rules: VariantRules, first: Lives, other: Lives
) -> FigureComparison:
    gap = _gap(figure, band, rules, first, other)
    if gap is None:
        return FigureComparison(
            figure=figure,
            variant=variant,
            first=None,
            other=None,
            difference=None,
            interval=None,
            limit=None,
            trainings=(),
            verdict="not shown",
            reason=f"{figure} was not measured in every town",
        )
    verdict = _verdict(gap)
    return FigureComparison(
        figure=figure,
        variant=variant,
        first=gap.first,
        other=gap.other,
        difference=gap.mean,
        interval=(gap.low, gap.high),
        limit=gap.limit,
        trainings=gap.trainings,
        verdict=verdict,
        reason=_reason(figure, variant, rules.variants[0], gap, verdict),
    )


def _gap(figure: str, band: VariantBand, rules: VariantRules, first: Lives, other: Lives) -> _Gap | None:
    """Differences are taken in each town, and averaged over scenarios and trainings; towns are what varies."""
    places = [(scenario, figure) for scenario in rules.scenarios]
    if any(place not in lives for place in places for lives in (first, other)):
        return None
    ours, theirs = (np.mean([lives[place] for place in places], axis=0) for lives in (first, other))
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        return None
    differences = theirs - ours
    step = band.step / (len(places) * len(differences))
    found = reach(Pairs(differences.mean(axis=0)[None], np.array([step])), rules.alpha, "t")
    mean, low = float(found.mean[0]), float(found.low[0])
    # What so many towns could have missed lies on both sides alike, as the interval itself does.
    means = tuple(float(one) for one in differences.mean(axis=1))
    level = float(ours.mean())
    limit = band.share * (abs(level) if band.of is None else band.of)
    return _Gap(level, float(theirs.mean()), mean, low, 2 * mean - low, limit, means)


def _verdict(gap: _Gap) -> Agreement:
    if gap.low > gap.limit or gap.high < -gap.limit:
        return "outside"
    inside = -gap.limit <= gap.low and gap.high <= gap.limit
    return "within" if inside and all(abs(one) <= gap.limit for one in gap.trainings) else "not shown"


def _reason(figure: str, variant: str, first: str, gap: _Gap, verdict: Agreement) -> str:
    told = f"{figure} by {variant} is {number(gap.other)}, by {first} {number(gap.first)}: the difference "
    told += f"{number(gap.mean)} [{number(gap.low)}, {number(gap.high)}] "
    if verdict == "not shown" and -gap.limit <= gap.low and gap.high <= gap.limit:
        worst = max(gap.trainings, key=abs)
        return f"{told}lies within ±{number(gap.limit)}, but that of one training is {number(worst)}"
    places = {"within": "lies within", "outside": "lies outside of", "not shown": "is not shown to lie within"}
    return f"{told}{places[verdict]} ±{number(gap.limit)}"
