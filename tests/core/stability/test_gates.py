"""The gate promotes what passes every criterion, and refuses everything else for the right reason."""

import pytest
from pydantic import ValidationError

from tests.core.stability.conftest import (
    CONFIG,
    CURRENT,
    DATASET,
    DIFFERENCE,
    LEVELS,
    SCENARIOS,
    TOWNS,
    by_plan,
    drawn_evaluation,
    sound_evidence,
    with_current,
    with_figure,
    with_incompatible,
)
from townlet_core.config import digest
from townlet_core.config.gates import GatePolicy
from townlet_core.stability import CloningEvidence, Criterion, DataEvidence, Decision, Evaluation, Evidence, decide


def criterion(decision: Decision, name: str) -> Criterion:
    return next(one for one in decision.criteria if one.name == name)


def changed(plan: GatePolicy, section: str, **changes: object) -> GatePolicy:
    return plan.model_copy(update={section: getattr(plan, section).model_copy(update=changes)})


def _decided(plan: GatePolicy, evidence: Evidence) -> Decision:
    return decide(plan, by_plan(plan, evidence))


def cloning(**changes: object) -> CloningEvidence:
    return sound_evidence().cloning.model_copy(update=changes)  # type: ignore[union-attr]


def data(**changes: object) -> DataEvidence:
    return DataEvidence(**(sound_evidence().data.model_dump() | changes))  # type: ignore[union-attr]


def reconfigured(evaluation: Evaluation, window: int) -> Evaluation:
    """The evaluation as if one scenario had been configured otherwise while a window was lived in."""
    body = evaluation.model_dump()
    body["windows"][window - 1]["scenarios"]["one_shower"]["config_digest"] = "0" * 64
    return Evaluation.model_validate(body)


def test_sound_evidence_promotes_a_first_release(plan: GatePolicy) -> None:
    decision = decide(plan, sound_evidence())
    assert decision.verdict == "PROMOTE"
    assert decision.reasons == ()
    assert decision.first_release
    assert decision.gates_digest == digest(plan)


def test_sound_evidence_promotes_over_the_current_release_too(plan: GatePolicy) -> None:
    decision = decide(plan, with_current())
    assert decision.verdict == "PROMOTE"
    assert not decision.first_release
    assert criterion(decision, "guard.ordinary_day.return.current").verdict == "pass"
    assert criterion(decision, "guard.ordinary_day.return.teacher").verdict == "pass"


@pytest.mark.parametrize(
    ("evidence", "verdict", "name", "reason"),
    [
        (sound_evidence(data=None), "HOLD", "data", "the dataset's figures are missing"),
        (sound_evidence(cloning=None), "HOLD", "cloning", "the training report is missing"),
        (sound_evidence(evaluation=None), "HOLD", "comparison", "the evaluation is missing"),
        (sound_evidence(data=data(dataset_id="0" * 64)), "HOLD", "evidence.data", "not dddddddddddd…"),
        (sound_evidence(cloning=cloning(dataset_id="0" * 64)), "HOLD", "evidence.training_data", "not dddddddddddd…"),
        (sound_evidence(cloning=cloning(candidate_digest="0" * 64)), "HOLD", "evidence.training", "not cccccccccccc…"),
        (sound_evidence(candidate_digest="0" * 64), "HOLD", "evidence.evaluation", "not 000000000000…"),
        (sound_evidence(baseline_digest=CURRENT), "HOLD", "evidence.baseline", "is missing"),
        (
            sound_evidence(evaluation=drawn_evaluation(current=CURRENT)),
            "HOLD",
            "evidence.baseline",
            "is 999999999999…, not none",
        ),
        (sound_evidence(engine="0" * 64), "HOLD", "evidence.engine", "is eeeeeeeeeeee…, not 000000000000…"),
        (sound_evidence(teacher="0" * 64), "HOLD", "evidence.teacher", "is 777777777777…, not 000000000000…"),
        (
            sound_evidence(scenarios=dict.fromkeys(SCENARIOS, CONFIG) | {"low_money": "0" * 64}),
            "HOLD",
            "evidence.scenario.low_money",
            "the configuration of low_money in the evaluation is ffffffffffff…, not 000000000000…",
        ),
        (
            sound_evidence(scenarios=dict.fromkeys(SCENARIOS[1:], CONFIG)),
            "HOLD",
            f"evidence.scenario.{SCENARIOS[0]}",
            "is ffffffffffff…, not none",
        ),
        (
            sound_evidence(evaluation=reconfigured(drawn_evaluation(), window=2)),
            "HOLD",
            "evidence.scenario.one_shower",
            "is 000000000000…, not ffffffffffff…",
        ),
        (with_current(baseline_digest="0" * 64), "HOLD", "evidence.baseline", "not 000000000000…"),
        (with_current(incompatible=DIFFERENCE), "HOLD", "evidence.baseline", "is 999999999999…, not none"),
        (
            with_incompatible(evaluation=drawn_evaluation(shift={"return": -3.0}, follows=CURRENT)),
            "FAIL",
            "primary.return.teacher",
            "which lies below -0.1",
        ),
        (sound_evidence(data=data(decisions=4999)), "FAIL", "data.decisions", "4999, which is below 5000"),
        (
            sound_evidence(data=data(action_shares={"idle": 0.96, "work": 0.04})),
            "FAIL",
            "data.distinct_actions",
            "is 2, which is below 5",
        ),
        (
            sound_evidence(data=data(action_shares={"idle": float("nan"), "work": 0.5})),
            "HOLD",
            "data.distinct_actions",
            "was not measured",
        ),
        (sound_evidence(data=data(clipped_share=0.06)), "FAIL", "data.clipped_share", "is above 0.05"),
        (sound_evidence(data=data(clipped_share=None)), "HOLD", "data.clipped_share", "was not measured"),
        (sound_evidence(cloning=cloning(accuracy=0.89)), "FAIL", "cloning.accuracy", "0.89, which is below 0.9"),
        (sound_evidence(cloning=cloning(accuracy=None)), "HOLD", "cloning.accuracy", "was not measured"),
        (
            sound_evidence(cloning=cloning(majority_share=0.8)),
            "FAIL",
            "cloning.margin_over_majority",
            "0.13, which is below 0.2",
        ),
        (
            sound_evidence(cloning=cloning(scenarios=dict.fromkeys(SCENARIOS, 0.92) | {"one_shower": 0.7})),
            "FAIL",
            "cloning.accuracy.one_shower",
            "0.7, which is below 0.85",
        ),
        (
            sound_evidence(cloning=cloning(scenarios=dict.fromkeys(SCENARIOS[1:], 0.92))),
            "HOLD",
            f"cloning.accuracy.{SCENARIOS[0]}",
            "was not measured",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(scenarios=SCENARIOS[:-1])),
            "HOLD",
            "comparison.stove_outage",
            "was not evaluated",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(towns=TOWNS - 1)),
            "HOLD",
            "comparison.window_1",
            "has too few towns for the plan's next look",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation().model_copy(update={"seed": 2})),
            "HOLD",
            "comparison.seed",
            "the seed of the towns is 2, not 1",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(follows=CURRENT)),
            "HOLD",
            "comparison.follows",
            "the release after which the towns were drawn is 999999999999…, not first",
        ),
        (
            with_current(evaluation=drawn_evaluation(current=CURRENT, follows="first")),
            "HOLD",
            "comparison.follows",
            "is first, not 999999999999…",
        ),
        (
            with_current(
                evaluation=drawn_evaluation(current=CURRENT, follows="first").model_copy(update={"follows": CURRENT})
            ),
            "HOLD",
            "comparison.towns",
            f"{SCENARIOS[0]} in window 1",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation().model_copy(update={"days": 2})),
            "HOLD",
            "comparison.days",
            "the number of days is 2, not 1",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(shift={"attendance": -0.2})),
            "FAIL",
            "guard.low_money.attendance.teacher",
            "which lies below -0.05",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(shift={"return": -3.0})),
            "FAIL",
            "primary.return.teacher",
            "which lies below -0.1",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(shift={"needs_ok_share": -0.05})),
            "HOLD",
            "guard.overall.needs_ok_share.teacher",
            "which does not lie clear of -0.05",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(shift={"canary_slot_reuse": 1.0})),
            "FAIL",
            "canary.slot_reuse.teacher",
            "which lies above 0.05",
        ),
        (
            sound_evidence(evaluation=drawn_evaluation(shift={"survival": -0.5})),
            "FAIL",
            "guard.ordinary_day.survival.minimum",
            "which lies below 0.9",
        ),
        (
            sound_evidence(evaluation=with_figure(drawn_evaluation(), "return", 3, None)),
            "HOLD",
            "guard.ordinary_day.return.teacher",
            "was not measured in every town of window 1",
        ),
        (
            sound_evidence(evaluation=with_figure(drawn_evaluation(), "attendance", 0, None, "teacher")),
            "HOLD",
            "guard.ordinary_day.attendance.teacher",
            "was not measured in every town of window 1",
        ),
    ],
)
def test_the_gate_refuses_and_says_why(
    plan: GatePolicy, evidence: Evidence, verdict: str, name: str, reason: str
) -> None:
    decision = decide(plan, evidence)
    assert decision.verdict == verdict
    told = criterion(decision, name)
    assert told.verdict == verdict.lower()
    assert reason in told.reason
    assert told.what_would_change
    assert any(line.startswith(f"{name}: ") for line in decision.reasons)


def test_a_first_release_needs_its_explicit_rule(plan: GatePolicy) -> None:
    decision = _decided(changed(plan, "first_release", allow=False), sound_evidence())
    assert decision.verdict == "HOLD"
    assert criterion(decision, "first_release").what_would_change == "first_release.allow: true in the plan"
    assert _decided(changed(plan, "first_release", allow=False), with_current()).verdict == "PROMOTE"


def test_a_first_release_must_match_whom_the_plan_names(plan: GatePolicy) -> None:
    decision = _decided(changed(plan, "first_release", must_match="champion"), sound_evidence())
    assert decision.verdict == "HOLD"
    assert criterion(decision, "guard.ordinary_day.return.champion").verdict == "hold"


def test_a_release_of_another_layout_is_no_baseline_and_the_decision_says_so(plan: GatePolicy) -> None:
    decision = _decided(changed(plan, "first_release", allow=False), with_incompatible())
    assert decision.verdict == "PROMOTE", decision.reasons
    assert (decision.baseline_digest, decision.incompatible, decision.first_release) == (CURRENT, DIFFERENCE, False)
    assert criterion(decision, "incompatible_release").reason == (
        "the current release 999999999999… could not be compared, since its layout differs: feature 9 is 'wallet' in "
        "the policy and 'purse' in the town; the plan's incompatible_release rule allows one that is no worse than "
        "teacher"
    )
    names = {one.name for one in decision.criteria}
    assert "guard.ordinary_day.return.teacher" in names
    assert not {name for name in names if name == "first_release" or name.endswith(".current")}


def test_replacing_a_release_of_another_layout_needs_its_explicit_rule(plan: GatePolicy) -> None:
    strict = changed(plan, "incompatible_release", allow=False)
    decision = _decided(strict, with_incompatible())
    assert decision.verdict == "HOLD"
    (told,) = decision.reasons
    assert told.startswith("incompatible_release: the current release 999999999999… could not be compared")
    assert told.endswith("the plan's incompatible_release rule forbids one")
    assert criterion(decision, "incompatible_release").what_would_change == (
        "incompatible_release.allow: true in the plan, or towns with the layout of the current release and a candidate "
        "for them"
    )
    assert _decided(strict, with_current()).verdict == "PROMOTE"
    assert _decided(strict, sound_evidence()).verdict == "PROMOTE"


def test_who_replaces_a_release_of_another_layout_must_match_whom_the_plan_names(plan: GatePolicy) -> None:
    decision = _decided(changed(plan, "incompatible_release", must_match="champion"), with_incompatible())
    assert decision.verdict == "HOLD"
    assert criterion(decision, "guard.ordinary_day.return.champion").verdict == "hold"


def test_nobody_can_be_incompatible_with_no_release() -> None:
    with pytest.raises(ValidationError, match="no release whose layout could differ"):
        sound_evidence(incompatible=DIFFERENCE)


def test_being_worse_than_the_current_release_fails_even_when_the_teacher_is_matched(plan: GatePolicy) -> None:
    evaluation = drawn_evaluation(current=CURRENT)
    for town in range(TOWNS):
        value = evaluation.windows[0].scenarios["ordinary_day"].policies["current"].kpis["return"][town]
        evaluation = with_figure(evaluation, "return", town, (value or 0.0) + 4.0, "current")
    decision = decide(plan, with_current(evaluation=evaluation))
    assert decision.verdict == "FAIL"
    assert criterion(decision, "guard.ordinary_day.return.current").verdict == "fail"
    assert criterion(decision, "guard.ordinary_day.return.teacher").verdict == "pass"


def test_a_figure_that_nobody_measures_holds(plan: GatePolicy) -> None:
    rails = plan.comparison.guard_rails
    decision = _decided(changed(plan, "comparison", guard_rails=rails | {"joy": rails["return"]}), sound_evidence())
    assert decision.verdict == "HOLD"
    assert criterion(decision, "guard.low_money.joy.teacher").verdict == "hold"


def test_a_hold_tells_how_many_towns_would_settle_it(plan: GatePolicy) -> None:
    decision = decide(plan, sound_evidence(evaluation=drawn_evaluation(shift={"needs_ok_share": -0.048})))
    held = [one for one in decision.criteria if one.verdict == "hold" and one.value is not None]
    assert held
    assert all(
        "towns instead of " in one.what_would_change or "a better candidate" in one.what_would_change for one in held
    )
    needed = next(one for one in held if "towns instead" in one.what_would_change)
    words = needed.what_would_change.replace(",", "").split()
    assert int(words[5]) < int(words[1]) < 20_000


@pytest.mark.parametrize(("share", "verdict"), [(-0.4, "pass"), (-0.8, "hold"), (0.2, "pass"), (0.5, "hold")])
def test_a_band_leaves_room_for_fewer_conflicts_but_not_for_hardly_any(
    plan: GatePolicy, share: float, verdict: str
) -> None:
    evaluation = drawn_evaluation(current=CURRENT, shift={"conflicts": share * LEVELS["conflicts"]})
    decision = decide(plan, with_current(evaluation=evaluation))
    sides = {criterion(decision, f"band.conflicts.{side}").verdict for side in ("low", "high")}
    assert sides == {"pass", verdict}


def test_the_worst_reason_is_told_first(plan: GatePolicy) -> None:
    evaluation = drawn_evaluation(shift={"return": -0.1, "attendance": -0.3})
    reasons = decide(plan, sound_evidence(evaluation=evaluation, data=None)).reasons
    severity = ["attendance" not in line for line in reasons]
    assert severity == sorted(severity)
    assert any(severity)


def test_what_made_a_window_hopeless_is_told_before_what_only_needs_more_towns(plan: GatePolicy) -> None:
    evaluation = drawn_evaluation(shift={"attendance": -0.0205, "survival": -0.001}, towns=plan.comparison.towns[0])
    decision = decide(plan, sound_evidence(evaluation=evaluation))
    held = {one.name: one.chance for one in decision.criteria if one.verdict == "hold" and one.chance is not None}
    told = [reason.split(": ")[0] for reason in decision.reasons if reason.split(": ")[0] in held]
    assert len(told) > 1
    assert [held[name] for name in told] == sorted(held.values())
    assert held[told[0]] < plan.comparison.futility < held[told[-1]]
    first = next(reason for reason in decision.reasons if reason.startswith(told[0]))
    assert f"with more towns it would have had a chance of {held[told[0]]:.0%} to do so" in first
    assert f"and {len(decision.reasons) - 4} more criteria that did not pass" in decision.brief()
    assert len(decision.brief()) < 1500


@pytest.mark.parametrize("evidence", [sound_evidence(), with_current(), with_incompatible()])
def test_a_decision_survives_its_own_json(plan: GatePolicy, evidence: Evidence) -> None:
    decision = decide(plan, evidence)
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


def test_the_decision_is_about_exactly_this_evidence(plan: GatePolicy) -> None:
    decision = decide(plan, sound_evidence())
    assert decision == decide(plan, sound_evidence())
    assert decision.dataset_id == DATASET
    assert decision.evaluation_digest == drawn_evaluation().digest
    assert decision.evidence_digest != decide(plan, sound_evidence(data=data(decisions=20_001))).evidence_digest
