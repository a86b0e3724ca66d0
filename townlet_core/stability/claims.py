"""What a candidate must show in the towns: every criterion of the plan as one row of paired differences."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config.gates import ComparisonRules, GuardRail, Mode
from townlet_core.config.telemetry import CANARIES

CANDIDATE, CURRENT, TEACHER = "candidate", "current", "teacher"
"""Names of the contenders that a gate knows: what is judged, the release it would replace, and the scripted teacher."""

OVERALL = "overall"
CANARY = "canary_"
"""Before a canary's name: the figure that is 1 in a town where it ever called, else 0."""

Floats = NDArray[np.float64]
Figures = Mapping[tuple[str, str, str], Floats]
"""A figure of a policy in a scenario, one value per town: by (scenario, policy, figure)."""


class Claim(NamedTuple):
    """One criterion of a comparison.

    Attributes:
        name: As the decision lists it.
        told: What the figure is, in words.
        scenarios: The figure is the mean over these, town by town.
        figure: Name of the figure.
        baseline: Whom the candidate is compared with; None where the figure is the candidate's own.
        sign: 1 where more of the figure is better, -1 where less is; judged values are multiplied by it.
        bound: What the mean must be shown to exceed.
        floor: What it must be shown to lie below to fail; None where it can only hold.
        relative: Bound and floor are shares of the baseline's mean.
        step: The least that one town can lose at once.
    """

    name: str
    told: str
    scenarios: tuple[str, ...]
    figure: str
    baseline: str | None
    sign: int
    bound: float
    floor: float | None
    relative: bool = False
    step: float = 0.0


def claims_of(rules: ComparisonRules, modes: Mapping[str, Mode], identical: frozenset[str]) -> tuple[Claim, ...]:
    """Every criterion of a comparison.

    Args:
        rules: The plan.
        modes: The baselines, and what must be shown on the primary figure against each.
        identical: Baselines that are the candidate itself: what does not differ there cannot differ elsewhere.
    """
    every = tuple(claim for baseline, mode in modes.items() for claim in _against(rules, baseline, mode))
    named = tuple(claim._replace(step=0.0) if claim.baseline in identical else claim for claim in every)
    return (*_minima(rules), *named)


def deltas(claim: Claim, figures: Figures) -> Floats | None:
    """The judged value of each town, of which more is better; None where a figure is missing."""
    ours = _mean(claim, figures, CANDIDATE)
    if claim.baseline is None or ours is None:
        return ours if ours is None else claim.sign * ours
    theirs = _mean(claim, figures, claim.baseline)
    if theirs is None:
        return None
    shared = min(ours.size, theirs.size)
    return claim.sign * (ours[:shared] - theirs[:shared])


def baseline_level(claim: Claim, figures: Figures, towns: int) -> float:
    """The size of a baseline's mean, by which relative bounds are measured."""
    theirs = _mean(claim, figures, claim.baseline) if claim.baseline is not None else None
    return 1.0 if theirs is None else abs(float(theirs[:towns].mean()))


def _mean(claim: Claim, figures: Figures, policy: str) -> Floats | None:
    found = [figures.get((scenario, policy, claim.figure)) for scenario in claim.scenarios]
    known = [values for values in found if values is not None]
    if len(known) < len(found):
        return None
    if len(known) == 1:
        return known[0]
    shared = min(values.size for values in known)
    mean: Floats = np.mean([values[:shared] for values in known], axis=0)
    return mean


def _minima(rules: ComparisonRules) -> Iterator[Claim]:
    for figure, rail in rules.guard_rails.items():
        if rail.minimum is None:
            continue
        for scenario in rules.scenarios:
            told = f"{figure} of the candidate in {scenario}"
            name = f"guard.{scenario}.{figure}.minimum"
            yield Claim(name, told, (scenario,), figure, None, 1, rail.minimum, rail.minimum, step=rail.step)


def _against(rules: ComparisonRules, baseline: str, mode: Mode) -> Iterator[Claim]:
    yield _primary(rules, baseline, mode)
    for figure, rail in rules.guard_rails.items():
        for scenario in rules.scenarios:
            yield _rail(f"guard.{scenario}.{figure}.{baseline}", (scenario,), figure, rail, rail.margin, baseline)
        if rail.overall is not None:
            name = f"guard.{OVERALL}.{figure}.{baseline}"
            yield _rail(name, rules.scenarios, figure, rail, rail.overall, baseline)
    yield from _canaries(rules, baseline)
    if baseline == CURRENT:
        yield from _bands(rules)


def _primary(rules: ComparisonRules, baseline: str, mode: Mode) -> Claim:
    primary = rules.primary
    name, told = f"primary.{primary.figure}.{baseline}", _told(primary.figure, baseline, rules.scenarios)
    bound = 0.0 if mode == "better" else -primary.margin
    return Claim(name, told, rules.scenarios, primary.figure, baseline, _sign(primary.better), bound, -primary.margin)


def _rail(name: str, scenarios: tuple[str, ...], figure: str, rail: GuardRail, margin: float, baseline: str) -> Claim:
    told = _told(figure, baseline, scenarios)
    relative, step = rail.scale == "relative", rail.step / len(scenarios)
    return Claim(name, told, scenarios, figure, baseline, _sign(rail.better), -margin, -margin, relative, step)


def _canaries(rules: ComparisonRules, baseline: str) -> Iterator[Claim]:
    canaries = rules.canaries
    if canaries is None:
        return
    for canary in CANARIES:
        if canary in canaries.allowed:
            continue
        told = f"the share of towns in which {canary} calls, of the candidate less that of {baseline}"
        margin, step = -canaries.margin, 1.0 / len(rules.scenarios)
        name = f"canary.{canary}.{baseline}"
        yield Claim(name, told, rules.scenarios, f"{CANARY}{canary}", baseline, -1, margin, margin, step=step)


def _bands(rules: ComparisonRules) -> Iterator[Claim]:
    for figure, band in rules.bands.items():
        told = _told(figure, CURRENT, rules.scenarios)
        for side, sign, share in (("low", 1, band.below), ("high", -1, band.above)):
            if share is not None:
                yield Claim(f"band.{figure}.{side}", told, rules.scenarios, figure, CURRENT, sign, -share, None, True)


def _told(figure: str, baseline: str, scenarios: tuple[str, ...]) -> str:
    where = f"in {scenarios[0]}" if len(scenarios) == 1 else "over all scenarios"
    return f"{figure} of the candidate less that of {baseline} {where}"


def _sign(better: str) -> int:
    return 1 if better == "more" else -1
