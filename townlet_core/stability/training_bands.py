"""The log of a candidate's training as criteria: bounds of its own, and bands around the current release's training."""

import math
from collections.abc import Iterator, Mapping
from typing import TypeVar

from townlet_core.config.gates import TrainingBand, TrainingRules
from townlet_core.config.watch import WITHOUT_LIFE, Logged
from townlet_core.policy.logbook.entries import REPLAY
from townlet_core.stability.criteria import (
    Criterion,
    Verdict,
    agrees,
    at_least,
    at_most,
    missing,
    within,
)
from townlet_core.stability.evidence import Evidence, TrainingEvidence

T = TypeVar("T")


def training_criteria(rules: TrainingRules, evidence: Evidence) -> list[Criterion]:
    """Judge the training that a candidate came from; a clone, which has no such log, passes by saying so."""
    found = evidence.training
    if found is None:
        return [missing("training", "the log of the candidate's training is missing")]
    about = agrees(
        "training.candidate",
        found.policy_digest,
        evidence.candidate_digest,
        "the candidate of the training log",
        "the log of this candidate's training",
    )
    if found.recipe is None:
        return [about, _said("training.log", "the candidate is a clone, which `cloning` judges; it was not improved")]
    criteria = [about, _whole(found), *_lifeless(found), *_annealed(rules, found)]
    return [*criteria, *_bounds(rules, found), *_bands(rules, found, evidence)]


def _lifeless(found: TrainingEvidence) -> list[Criterion]:
    if found.mode != REPLAY:
        return []
    return [_said("training.mode", f"nobody lived in it, so that it is judged by {', '.join(WITHOUT_LIFE)} alone")]


def _annealed(rules: TrainingRules, found: TrainingEvidence) -> list[Criterion]:
    if found.frozen is None:
        return []
    if not found.frozen:
        return [_said("training.annealing", "annealing did not end frozen")]
    allowed = rules.frozen == "allow"
    reason = "annealing ended frozen, with a key figure below its bound"
    change = f"training.frozen: {'hold' if allowed else 'allow'} in the plan"
    return [_said("training.annealing", reason, Verdict.PASS if allowed else Verdict.HOLD, change)]


def _asked(bounds: Mapping[Logged, T], found: TrainingEvidence) -> dict[Logged, T]:
    """The rules about figures that this way of training has."""
    return {name: bound for name, bound in bounds.items() if found.mode != REPLAY or name in WITHOUT_LIFE}


def _whole(found: TrainingEvidence) -> Criterion:
    logged, planned = found.logged or None, found.planned
    return agrees("training.log", logged, planned, "the number of updates in the log", "the log of a whole training")


def _bounds(rules: TrainingRules, found: TrainingEvidence) -> Iterator[Criterion]:
    for name, bound in _asked(rules.max, found).items():
        yield at_most(f"training.{name}.max", found.figures.get(name), bound, _told(name, rules, found))
    for name, bound in _asked(rules.min, found).items():
        yield at_least(f"training.{name}.min", found.figures.get(name), bound, _told(name, rules, found))


def _bands(rules: TrainingRules, found: TrainingEvidence, evidence: Evidence) -> list[Criterion]:
    if evidence.baseline_digest is None or not rules.bands:
        return []
    other = evidence.baseline_training
    if other is None:
        return [missing("training.baseline", "the log of the current release's training is missing")]
    about = agrees(
        "training.baseline",
        other.policy_digest,
        evidence.baseline_digest,
        "the policy of the current release's training log",
        "the log of the current release's training",
    )
    layout = "the current release has another layout" if evidence.incompatible is not None else None
    why = layout or _why_not(found, other)
    if why is not None:
        return [about, _uncompared(rules, why)]
    return [about, _whole_baseline(other), *_each(rules, found, other.figures)]


def _why_not(found: TrainingEvidence, other: TrainingEvidence) -> str | None:
    if other.recipe is None:
        return "the current release is a clone, which has no such log"
    if other.recipe != found.recipe:
        return "the current release was trained by another recipe"
    return None if other.form == found.form else f"the log of the current release has another form, {other.form}"


def _uncompared(rules: TrainingRules, why: str) -> Criterion:
    allowed = rules.uncompared == "allow"
    return _said(
        "training.bands",
        f"{why}, so that the bands say nothing; the plan {'goes by the rest' if allowed else 'holds'}",
        Verdict.PASS if allowed else Verdict.HOLD,
        f"training.uncompared: {'hold' if allowed else 'allow'} in the plan",
    )


def _whole_baseline(other: TrainingEvidence) -> Criterion:
    what, remedy = "the number of updates in the current release's log", "the whole log of that training"
    return agrees("training.baseline_log", other.logged or None, other.planned, what, remedy)


def _each(rules: TrainingRules, found: TrainingEvidence, baseline: Mapping[str, float | None]) -> Iterator[Criterion]:
    for name, band in _asked(rules.bands, found).items():
        around, criterion = baseline.get(name), f"training.{name}.band"
        if around is None:
            yield missing(criterion, f"{name} was not measured in the current release's training")
        else:
            yield within(criterion, found.figures.get(name), _band(band, around), around, _told(name, rules, found))


def _band(band: TrainingBand, around: float) -> tuple[float, float]:
    unit = abs(around) if band.scale == "relative" else 1.0
    low = -math.inf if band.below is None else around - band.below * unit
    high = math.inf if band.above is None else around + band.above * unit
    return low, high


def _told(name: str, rules: TrainingRules, found: TrainingEvidence) -> str:
    return f"{name} over the last {min(rules.updates, found.logged)} updates"


def _said(
    name: str, reason: str, verdict: Verdict = Verdict.PASS, change: str = "another way of training"
) -> Criterion:
    return Criterion(name=name, value=None, bound=None, verdict=verdict, reason=reason, what_would_change=change)
