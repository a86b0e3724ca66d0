"""One window of a comparison: the sample grows look by look until it decides, or nothing more is to be expected."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from townlet_core.config.gates import ComparisonRules
from townlet_core.stability.claims import Claim, Figures, baseline_level, deltas
from townlet_core.stability.criteria import Verdict
from townlet_core.stability.pairs import Pairs, chance_above, chance_to_pass, reach
from townlet_core.stability.spending import levels

Floats = NDArray[np.float64]


class Reading(NamedTuple):
    """A claim at the look that ended a window; figures are in the direction in which more is better.

    `mean` is NaN where the figure was not measured in every town. `chance` is the chance that was left to pass at the
    last look, where the window was given up before it.
    """

    claim: Claim
    mean: float
    low: float
    high: float
    bound: float
    towns: int
    verdict: Verdict
    chance: float | None = None


class Ruling(NamedTuple):
    """What a window says: its verdict, the look that gave it (from 1), and every claim there.

    `over` is false while more towns are wanted; `futile` says that the window was given up before its last look.
    """

    verdict: Verdict
    look: int
    towns: int
    over: bool
    futile: bool
    readings: tuple[Reading, ...]


class _Look(NamedTuple):
    """A look's samples and bounds [criteria]; `floors` is -inf for a claim that cannot fail."""

    number: int
    pairs: Pairs
    bounds: Floats
    floors: Floats


def rule(claims: Sequence[Claim], figures: Figures, rules: ComparisonRules) -> Ruling:
    """Judge a window by the figures of its towns, as if they had come look by look.

    Towns beyond the look that decided change nothing, so that nobody gains by living in more of them; too few for
    the next look leave the window open. A figure that was not measured in every town ends it without a promotion.
    """
    rows = [deltas(claim, figures) for claim in claims]
    available = min((row.size for row in rows if row is not None), default=0)
    ruling = Ruling(Verdict.HOLD, 0, 0, False, False, ())
    for number, towns in enumerate(rules.towns, start=1):
        if available < towns:
            return ruling
        ruling = _look(claims, [None if row is None else row[:towns] for row in rows], figures, rules, number)
        if ruling.over:
            return ruling
    return ruling


def _look(
    claims: Sequence[Claim], rows: Sequence[Floats | None], figures: Figures, rules: ComparisonRules, number: int
) -> Ruling:
    towns = rules.towns[number - 1]
    whole = [index for index, row in enumerate(rows) if row is not None and bool(np.isfinite(row).all())]
    values = np.array([rows[index] for index in whole]).reshape(len(whole), towns)
    scale = np.array([_scale(claims[index], figures, towns) for index in whole])
    kept = [claims[index] for index in whole]
    look = _Look(
        number,
        Pairs(values, np.array([claim.step for claim in kept])),
        scale * [claim.bound for claim in kept],
        scale * [-np.inf if claim.floor is None else claim.floor for claim in kept],
    )
    readings = {one.claim.name: one for one in _read(kept, look, rules)}
    every = tuple(readings.get(claim.name) or _unmeasured(claim, towns) for claim in claims)
    return _ruling(every, look, rules, complete=len(whole) == len(rows))


def _scale(claim: Claim, figures: Figures, towns: int) -> float:
    return baseline_level(claim, figures, towns) if claim.relative else 1.0


def _read(claims: Sequence[Claim], look: _Look, rules: ComparisonRules) -> list[Reading]:
    if not claims:
        return []
    found = reach(look.pairs, levels(rules.alpha, rules.fractions)[look.number - 1], rules.interval)
    failed = _failed(look, rules)
    # Better than nothing is more than nothing: an identical policy is never better.
    passed = np.where(look.bounds == 0.0, found.low > look.bounds, found.low >= look.bounds) & ~failed
    verdicts = np.where(failed, Verdict.FAIL, np.where(passed, Verdict.PASS, Verdict.HOLD))
    columns = (*(part.tolist() for part in (found.mean, found.low, found.high, look.bounds)), verdicts.tolist())
    return [
        Reading(claim, mean, low, high, bound, look.pairs.towns, Verdict(verdict))
        for claim, mean, low, high, bound, verdict in zip(claims, *columns, strict=True)
    ]


def _failed(look: _Look, rules: ComparisonRules) -> NDArray[np.bool_]:
    """Which claims are shown to lie below their floors, by Holm's steps over all that can fail.

    Each step tests at the level that the spending function gives this look for its share of the risk (Maurer and
    Bretz, Statistics in Biopharmaceutical Research 5, 2013).
    """
    able = np.flatnonzero(np.isfinite(look.floors))
    failed = np.zeros(len(look.floors), np.bool_)
    pairs = Pairs(look.pairs.values[able], look.pairs.steps[able])
    chances = chance_above(pairs, look.floors[able], rules.interval)
    for done, place in enumerate(np.argsort(chances, kind="stable")):
        share = rules.fail_alpha / (len(able) - done)
        if chances[place] > levels(share, rules.fractions)[look.number - 1]:
            break
        failed[able[place]] = True
    return failed


def _ruling(readings: tuple[Reading, ...], look: _Look, rules: ComparisonRules, *, complete: bool) -> Ruling:
    verdict = max((one.verdict for one in readings), key=lambda one: one.severity, default=Verdict.HOLD)
    last = look.number == len(rules.towns)
    chances = _no_hope(look, rules) if verdict is Verdict.HOLD and complete and not last else None
    if chances is not None:
        readings = tuple(one._replace(chance=chance) for one, chance in zip(readings, chances.tolist(), strict=True))
    over = verdict is not Verdict.HOLD or not complete or last or chances is not None
    return Ruling(verdict, look.number, rules.towns[look.number - 1], over, chances is not None, readings)


def _no_hope(look: _Look, rules: ComparisonRules) -> Floats | None:
    """The chance of each claim to pass in the end, where that of one is below the plan's `futility`; else None."""
    if rules.futility == 0.0 or not look.pairs.values.size:
        return None
    fraction = rules.fractions[look.number - 1]
    chances = chance_to_pass(look.pairs, look.bounds, fraction, levels(rules.alpha, rules.fractions)[-1])
    return chances if bool(chances.min() < rules.futility) else None


def _unmeasured(claim: Claim, towns: int) -> Reading:
    return Reading(claim, np.nan, np.nan, np.nan, np.nan, towns, Verdict.HOLD)
