"""How often the gate errs, measured on drawn figures whose truth is known."""

from collections import Counter

from tests.core.stability.conftest import drawn_evaluation, sound_evidence
from townlet_core.config.gates import GatePolicy
from townlet_core.stability import decide

TRIALS = 200


def verdicts(plan: GatePolicy, shift: dict[str, float]) -> Counter[str]:
    trials = (sound_evidence(evaluation=drawn_evaluation(1000 + seed, shift)) for seed in range(TRIALS))
    return Counter(decide(plan, evidence).verdict for evidence in trials)


def test_a_policy_as_good_as_the_teacher_never_fails_and_is_mostly_promoted(plan: GatePolicy) -> None:
    told = verdicts(plan, {})
    assert told["FAIL"] == 0
    assert told["PROMOTE"] >= 0.9 * TRIALS


def test_a_policy_worse_by_twice_the_margin_is_never_promoted(plan: GatePolicy) -> None:
    for kpi, loss in (
        ("attendance", 0.04),
        ("needs_ok_share", 0.06),
        ("return", 0.2),
        ("survival", 0.04),
        ("conflicts", -0.4),
    ):
        assert verdicts(plan, {kpi: -loss})["PROMOTE"] == 0


def test_a_policy_worse_by_exactly_the_margin_is_promoted_less_often_than_alpha_allows(plan: GatePolicy) -> None:
    assert verdicts(plan, {"attendance": -0.02})["PROMOTE"] <= 0.05 * TRIALS
