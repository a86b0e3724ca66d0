"""The windows of an evaluation as criteria: each claim by its worst window, and every window that is still owed."""

import math
from collections.abc import Mapping

from townlet_core.config.gates import ComparisonRules, Mode
from townlet_core.stability.claims import CANDIDATE, claims_of
from townlet_core.stability.criteria import Criterion, Verdict, at_least, missing, number
from townlet_core.stability.evaluation import Evaluation
from townlet_core.stability.looks import Reading, Ruling, rule

MOST_REPEATS = 20.0
"""Nobody runs more than this, squared, times the towns of an evaluation; beyond it no number of towns is proposed."""

Placed = tuple[int, Reading]
"""A reading with the number of its window."""


def window_criteria(rules: ComparisonRules, modes: Mapping[str, Mode], evaluation: Evaluation) -> list[Criterion]:
    """Judge every window anew, each in the looks of the plan; only what stands in the windows counts.

    Args:
        rules: The plan.
        modes: The baselines, and what must be shown on the primary figure against each.
        evaluation: What was found, whoever ran it and however far.
    """
    ours = evaluation.policies.get(CANDIDATE)
    identical = frozenset(name for name, digest in evaluation.policies.items() if digest == ours)
    claims = claims_of(rules, modes, identical)
    rulings: dict[int, Ruling] = {}
    for window in evaluation.windows[: rules.windows]:
        rulings[window.number] = rule(claims, window.figures(), rules)
    return [*_owed(rules, rulings), *_worst_windows(rulings)]


def _owed(rules: ComparisonRules, rulings: Mapping[int, Ruling]) -> list[Criterion]:
    """A line for each window: whether it was lived in at all, and far enough to decide."""
    criteria = []
    for window in range(1, rules.windows + 1):
        name, ruling = f"comparison.window_{window}", rulings.get(window)
        before = rulings.get(window - 1)
        if ruling is not None and ruling.over:
            told = f"the number of towns of each scenario in window {window}, after {_looks(ruling)},"
            criteria.append(at_least(name, ruling.towns, rules.towns[0], told))
        elif ruling is not None:
            criteria.append(missing(name, f"window {window} has too few towns for the plan's next look"))
        elif before is None or before.verdict is Verdict.PASS:
            criteria.append(missing(name, f"window {window} of {rules.windows} was not evaluated"))
        else:
            why = "was given up" if before.futile else "did not pass"
            criteria.append(missing(name, f"window {window} was not begun, since window {window - 1} {why}"))
    return criteria


def _looks(ruling: Ruling) -> str:
    looks = "1 look" if ruling.look == 1 else f"{ruling.look} looks"
    return f"{looks} and given up" if ruling.futile else looks


def _worst_windows(rulings: Mapping[int, Ruling]) -> list[Criterion]:
    """One criterion for each claim: that of its worst window, and of equal ones the closest to its bound."""
    places: dict[str, list[Placed]] = {}
    for window, ruling in sorted(rulings.items()):
        for reading in ruling.readings:
            places.setdefault(reading.claim.name, []).append((window, reading))
    return [_criterion(*max(placed, key=_badness), len(rulings)) for placed in places.values()]


def _badness(placed: Placed) -> tuple[int, bool, float]:
    _, reading = placed
    measured = math.isfinite(reading.mean)
    return reading.verdict.severity, not measured, reading.bound - reading.low if measured else 0.0


def _criterion(window: int, reading: Reading, windows: int) -> Criterion:
    claim = reading.claim
    if not math.isfinite(reading.mean):
        return missing(claim.name, f"{claim.told} was not measured in every town of window {window}")
    low, high, bound = (claim.sign * part for part in (reading.low, reading.high, reading.bound))
    ends = (low, high) if claim.sign > 0 else (high, low)
    where = f" in window {window} of {windows}" if windows > 1 else ""
    return Criterion(
        name=claim.name,
        value=claim.sign * reading.mean,
        interval=ends if all(math.isfinite(end) for end in ends) else None,
        bound=bound,
        verdict=reading.verdict,
        reason=f"{claim.told} is {number(claim.sign * reading.mean)} [{number(ends[0])}, {number(ends[1])}] over "
        f"{reading.towns} towns{where}, which {_says(reading)} {number(bound)}{_hope(reading)}",
        what_would_change=_change(reading),
        chance=reading.chance,
    )


def _says(reading: Reading) -> str:
    good, bad = ("above", "below") if reading.claim.sign > 0 else ("below", "above")
    if reading.verdict is Verdict.PASS:
        return f"stays {good}"
    return f"lies {bad}" if reading.verdict is Verdict.FAIL else "does not lie clear of"


def _hope(reading: Reading) -> str:
    if reading.chance is None or reading.verdict is Verdict.PASS:
        return ""
    return f"; with more towns it would have had a chance of {reading.chance:.0%} to do so"


def _change(reading: Reading) -> str:
    claim, bound = reading.claim, number(reading.claim.sign * reading.bound)
    good, bad = ("above", "below") if claim.sign > 0 else ("below", "above")
    if reading.verdict is Verdict.PASS:
        return f"an interval that reaches {bad} {bound}"
    if reading.verdict is Verdict.FAIL:
        return f"a mean shown to be {good} {bound}"
    spread, room = reading.mean - reading.low, reading.mean - reading.bound
    if room <= 0.0:
        return f"a better candidate: the mean itself is not {good} {bound}"
    if spread > MOST_REPEATS * room:
        return f"a better candidate: the mean is too close to {bound} for any number of towns to tell"
    needed = math.ceil(reading.towns * (spread / room) ** 2) + 1
    return f"about {needed} towns instead of {reading.towns}, should mean and spread stay as they are"
