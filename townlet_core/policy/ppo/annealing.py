"""From scripted to learned control: how large the teacher's share is, and when it freezes, falls on or rolls back."""

import math
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from townlet_core.config.training_modes import AnnealRules
from townlet_core.policy.training_figures import Annealing, KpiVerdict

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


def told(rules: AnnealRules, state: AnnealState, judgement: Judgement | None) -> Annealing:
    """What the log says of an update: where annealing stood, and what was decided if a cycle ended with it."""
    standing = Annealing(step=state.step, ratio=ratio_at(rules, state.step), frozen=state.frozen)
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
