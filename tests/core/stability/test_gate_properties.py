"""What must hold for every gate and every evidence, whatever the figures."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stability.conftest import PLAN, by_plan, drawn_evaluation, sound_evidence, with_figure
from townlet_core.stability import CloningEvidence, Criterion, DataEvidence, Verdict, decide
from townlet_core.stability.criteria import at_least, at_most, worst

BAD = st.sampled_from([None, math.nan, math.inf, -math.inf])
ANY = st.floats(allow_nan=True, allow_infinity=True)


def made(verdict: Verdict) -> Criterion:
    return Criterion(name="x", value=1.0, bound=1.0, verdict=verdict, reason="r", what_would_change="w")


@given(st.lists(st.sampled_from(Verdict)), st.sampled_from(Verdict))
def test_one_more_criterion_never_improves_the_verdict(verdicts: list[Verdict], more: Verdict) -> None:
    before = worst(tuple(made(one) for one in verdicts))
    after = worst(tuple(made(one) for one in [*verdicts, more]))
    assert after.severity >= more.severity
    assert after.severity >= before.severity or not verdicts


def test_no_criteria_at_all_hold() -> None:
    assert worst(()) is Verdict.HOLD


@given(ANY, st.floats(-10, 10))
def test_a_figure_passes_only_when_it_is_a_number_on_the_right_side(value: float, bound: float) -> None:
    assert (at_least("x", value, bound, "it").verdict is Verdict.PASS) == (math.isfinite(value) and value >= bound)
    assert (at_most("x", value, bound, "it").verdict is Verdict.PASS) == (math.isfinite(value) and value <= bound)


@given(
    BAD, st.sampled_from(["accuracy", "majority_share", "low_money", "clipped_share", "share", "survival", "return"])
)
def test_a_figure_that_is_no_number_never_promotes_wherever_it_is(bad: float | None, where: str) -> None:
    evidence = sound_evidence()
    assert evidence.cloning is not None
    assert evidence.data is not None
    if where in ("accuracy", "majority_share"):
        cloning = CloningEvidence(**(evidence.cloning.model_dump() | {where: bad}))
        evidence = sound_evidence(cloning=cloning)
    elif where == "low_money":
        scenarios = evidence.cloning.scenarios | {where: bad}
        evidence = sound_evidence(cloning=CloningEvidence(**(evidence.cloning.model_dump() | {"scenarios": scenarios})))
    elif where == "clipped_share":
        evidence = sound_evidence(data=DataEvidence(**(evidence.data.model_dump() | {where: bad})))
    elif where == "share":
        shares = evidence.data.action_shares | {"work": bad}
        evidence = sound_evidence(data=DataEvidence(**(evidence.data.model_dump() | {"action_shares": shares})))
    else:
        evidence = sound_evidence(evaluation=with_figure(drawn_evaluation(), where, 5, bad))
    assert decide(PLAN, evidence).verdict == "HOLD"


@given(
    part=st.sampled_from(["data", "cloning", "evaluation"]),
    shift=st.dictionaries(st.sampled_from(["return", "attendance"]), st.floats(-1, 1)),
)
def test_taking_evidence_away_never_promotes(part: str, shift: dict[str, float]) -> None:
    changes: dict[str, object] = {"evaluation": drawn_evaluation(shift=shift), part: None}
    assert decide(PLAN, sound_evidence(**changes)).verdict != "PROMOTE"


@given(st.floats(0, 3), st.floats(0, 3), st.integers(0, 50))
def test_a_worse_candidate_never_gets_a_better_verdict(first: float, second: float, seed: int) -> None:
    order = {"PROMOTE": 0, "HOLD": 1, "FAIL": 2}
    verdicts = [
        decide(PLAN, sound_evidence(evaluation=drawn_evaluation(seed, {"return": -loss}))).verdict
        for loss in sorted((first, second))
    ]
    assert order[verdicts[0]] <= order[verdicts[1]]


@given(st.sampled_from(["candidate_digest", "dataset_id", "baseline_digest"]))
def test_evidence_about_something_else_never_promotes(name: str) -> None:
    assert decide(PLAN, sound_evidence(**{name: "0" * 64})).verdict == "HOLD"


def test_a_harsher_margin_never_improves_the_verdict() -> None:
    order = {"PROMOTE": 0, "HOLD": 1, "FAIL": 2}
    evidence = sound_evidence(evaluation=drawn_evaluation(shift={"return": -0.02}))
    severities = []
    for margin in np.linspace(0.3, 0.001, 12):
        rail = PLAN.comparison.guard_rails["return"].model_copy(update={"margin": float(margin)})
        comparison = PLAN.comparison.model_copy(update={"guard_rails": PLAN.comparison.guard_rails | {"return": rail}})
        plan = PLAN.model_copy(update={"comparison": comparison})
        severities.append(order[decide(plan, by_plan(plan, evidence)).verdict])
    assert severities == sorted(severities)
    assert severities[0] == 0
    assert severities[-1] > 0
