"""One criterion of a gate: a figure, the bound it is held to, the verdict, and what would have changed it."""

import math
from enum import StrEnum
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict

FROZEN = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure: TypeAlias = Annotated[float | None, BeforeValidator(_finite)]
"""A measured number; what is not a finite number is no figure (None), and nothing passes on it."""


class Verdict(StrEnum):
    """What a criterion says, from good to bad; the worst of all criteria decides."""

    PASS = "pass"
    HOLD = "hold"
    FAIL = "fail"

    @property
    def severity(self) -> int:
        """0 for PASS, 1 for HOLD, 2 for FAIL."""
        return _SEVERITY[self]


_SEVERITY = {verdict: severity for severity, verdict in enumerate(Verdict)}


class Criterion(BaseModel):
    """A single line of a decision.

    `interval` is the confidence interval of `value` where it is an estimate; `bound` is the number it is held to.
    `chance` is the chance that was left to pass with all the towns of the plan, where the window was given up.
    """

    model_config = FROZEN
    name: str
    value: Figure
    interval: tuple[float, float] | None = None
    bound: Figure
    verdict: Verdict
    reason: str
    what_would_change: str
    chance: Figure = None


def worst(criteria: tuple[Criterion, ...]) -> Verdict:
    """The worst verdict; HOLD where there is nothing to judge by."""
    if not criteria:
        return Verdict.HOLD
    return max((criterion.verdict for criterion in criteria), key=lambda verdict: verdict.severity)


def at_least(name: str, value: float | None, bound: float, what: str) -> Criterion:
    """Require a counted or measured figure to reach a bound; `what` says what the figure is."""
    passed = value is not None and value >= bound
    relation, change = ("reaches", "below") if passed else ("is below", "of at least")
    return _measured(name, value, bound, passed, (what, relation, change))


def at_most(name: str, value: float | None, bound: float, what: str) -> Criterion:
    """Require a figure to stay within an upper bound."""
    passed = value is not None and value <= bound
    relation, change = ("stays within", "above") if passed else ("is above", "of at most")
    return _measured(name, value, bound, passed, (what, relation, change))


def _measured(name: str, value: float | None, bound: float, passed: bool, words: tuple[str, str, str]) -> Criterion:
    """Judge a figure; a figure that is missing, NaN or infinite holds, whatever the comparison said."""
    what, relation, change = words
    if value is None or not math.isfinite(value):
        return missing(name, f"{what} was not measured", bound)
    return Criterion(
        name=name,
        value=value,
        bound=bound,
        verdict=Verdict.PASS if passed else Verdict.FAIL,
        reason=f"{what} is {number(value)}, which {relation} {number(bound)}",
        what_would_change=f"{what} {change} {number(bound)}",
    )


def within(name: str, value: float | None, band: tuple[float, float], around: float, what: str) -> Criterion:
    """Require a figure to stay in a band around a baseline's; a drift holds, it never fails."""
    low, high = band
    if value is None or not math.isfinite(value) or not math.isfinite(around):
        return missing(name, f"{what} was not measured")
    passed = low <= value <= high
    bound = low if value < around else high
    span = _span(low, high)
    told = f"{span}, around the {number(around)} of the current release"
    return Criterion(
        name=name,
        value=value,
        bound=bound,
        verdict=Verdict.PASS if passed else Verdict.HOLD,
        reason=f"{what} is {number(value)}, which {'stays within' if passed else 'lies outside'} {told}",
        what_would_change=f"{what} {'outside' if passed else 'within'} {span}",
    )


def _span(low: float, high: float) -> str:
    if math.isinf(low):
        return f"at most {number(high)}"
    return f"at least {number(low)}" if math.isinf(high) else f"{number(low)} to {number(high)}"


def agrees(name: str, found: object, expected: object, what: str, remedy: str) -> Criterion:
    """Require evidence to be about the thing that is judged; stale or missing evidence holds."""
    passed = found == expected and found is not None
    told = "missing" if found is None else f"{short(found)}, not {short(expected)}"
    return Criterion(
        name=name,
        value=None,
        bound=None,
        verdict=Verdict.PASS if passed else Verdict.HOLD,
        reason=f"{what} is {short(expected)} as it should be" if passed else f"{what} is {told}",
        what_would_change=f"another {what.removeprefix('the ')}" if passed else remedy,
    )


def missing(name: str, reason: str, bound: float | None = None) -> Criterion:
    """Hold for want of evidence."""
    return Criterion(
        name=name,
        value=None,
        bound=bound,
        verdict=Verdict.HOLD,
        reason=reason,
        what_would_change="evidence: run the step that measures it",
    )


def number(value: float) -> str:
    """A figure as reasons show it: four significant digits."""
    shown = value + 0.0  # of a negative zero, the zero
    return f"{shown:.0f}" if abs(shown) >= 1000 else f"{shown:.4g}"


def short(value: object) -> str:
    """A value as reasons show it: of a digest its first digits, anything else whole."""
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text
