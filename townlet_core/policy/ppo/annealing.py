"""From scripted to learned control: how large the teacher's share is, and when it freezes, falls on or rolls back."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from pydantic import BaseModel, ConfigDict

from townlet_core.config.training_modes import AnnealRules
from townlet_core.policy.training_figures import Annealing, CloneScore, Drift, KpiVerdict
from townlet_core.policy.training_log import UpdateRecord

DRIFTING: Mapping[str, str] = {
    "loss": "loss_total",
    "queue_events": "queue_conflict_events",
    "queue_intensity": "queue_conflict_intensity_sum",
}
"""Figures that are compared from cycle to cycle, with their columns."""
MOST_OFF, LEAST = 0.1, 0.85
"""Shares of its baseline by which a loss may be off, and that the other figures must keep."""

Decision = Literal["advance", "freeze", "recover", "stay"]
Figures = Mapping[str, float]


class AnnealState(BaseModel):
    """Where annealing stands between cycles; the weights of the last good one are kept beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    step: int = 0
    frozen: bool = False
    good_update: int = 0
    """The update whose weights a rollback brings back; 0 is the clone."""
    baseline: dict[str, float] | None = None
    """None until it is known."""


class Judgement(BaseModel):
    """What a cycle's figures decide, and where annealing stands afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    decision: Decision
    state: AnnealState
    kpis: dict[str, KpiVerdict]


def ratio_at(rules: AnnealRules, step: int) -> float:
    """The teacher's share at a step: `start` at the first, 0 at the last and behind it, evenly between them."""
    return rules.start * max(0.0, 1.0 - step / (rules.steps - 1))


def verdicts(found: Figures, baseline: Figures, rules: AnnealRules) -> dict[str, KpiVerdict]:
    """Each key figure against its bound, `max_drop` of its scale below the baseline; what is no number never holds."""
    told: dict[str, KpiVerdict] = {}
    for kpi, scale in rules.kpis.items():
        bound = baseline[kpi] - rules.max_drop * (scale.of or abs(baseline[kpi]))
        figure = found[kpi] if math.isfinite(found[kpi]) else None
        held = figure is not None and figure >= bound
        told[kpi] = KpiVerdict(found=figure, baseline=baseline[kpi], bound=bound, held=held)
    return told


def judge(state: AnnealState, update: int, found: Figures, teacher: Figures, rules: AnnealRules) -> Judgement:
    """Decide at the end of a cycle.

    Args:
        state: Where annealing stood.
        update: The update that ended the cycle.
        found: The policy's key figures.
        teacher: The teacher's in the same towns.
        rules: Bounds, steps, and what the baseline is.
    """
    baseline = state.baseline or _baseline(found, teacher, rules)
    kpis = verdicts(found, baseline, rules)
    if not all(verdict.held for verdict in kpis.values()):
        frozen = state.model_copy(update={"frozen": True, "baseline": baseline})
        return Judgement(decision="freeze", state=frozen, kpis=kpis)
    last = state.step >= rules.steps - 1
    decision: Decision = "recover" if state.frozen else "stay" if last else "advance"
    step = state.step if last else state.step + 1
    good = AnnealState(step=step, frozen=False, good_update=update, baseline=baseline)
    return Judgement(decision=decision, state=good, kpis=kpis)


def _baseline(found: Figures, teacher: Figures, rules: AnnealRules) -> dict[str, float]:
    # A figure that could not be measured in the first cycle is nothing to compare with; the teacher's is.
    own = rules.baseline == "first_cycle"
    return {kpi: found[kpi] if own and math.isfinite(found[kpi]) else teacher[kpi] for kpi in rules.kpis}


def drifts(records: Sequence[UpdateRecord]) -> dict[str, Drift]:
    """The last record's cycle beside the first one, by short name of the figure; nothing in the first one.

    The critic learns alone at first; such an update has another loss and is left out.
    """
    learnt = [record for record in records if not record.critic_only]
    cycles = [[record for record in learnt if record.cycle == cycle] for cycle in (0, records[-1].cycle)]
    if records[-1].cycle == 0 or not all(cycles):
        return {}
    found = {}
    for name, column in DRIFTING.items():
        first, last = (fmean(getattr(record, column) for record in cycle) for cycle in cycles)
        flag = abs(last - first) > MOST_OFF * abs(first) if name == "loss" else last < LEAST * first
        found[name] = Drift(found=last, baseline=first, flag=flag)
    return found


def told(
    rules: AnnealRules, state: AnnealState, judgement: Judgement | None, score: CloneScore | None = None
) -> Annealing:
    """What the log says of an update: where annealing stood, and what was decided if a cycle ended with it."""
    passed = None if score is None else score.accuracy >= rules.min_clone_accuracy
    standing = Annealing(
        step=state.step,
        ratio=ratio_at(rules, state.step),
        frozen=state.frozen,
        dataset=score.dataset if score else None,
        clone_accuracy=score.accuracy if score else None,
        clone_threshold=rules.min_clone_accuracy,
        clone_passed=passed,
    )
    if judgement is None:
        return standing
    return standing.model_copy(
        update={
            "decision": judgement.decision,
            "next_ratio": ratio_at(rules, judgement.state.step),
            "rolled_back_to": state.good_update if judgement.decision == "freeze" else None,
            "kpis": judgement.kpis,
        }
    )
