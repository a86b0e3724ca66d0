"""The log of the training in the gate: bounds, bands around the current release, and evidence not to be trusted."""

import pytest

from tests.core.stability.conftest import (
    CANDIDATE,
    CURRENT,
    LOGGED,
    by_plan,
    sound_evidence,
    trained,
    with_current,
    with_incompatible,
)
from townlet_core.config.gates import GatePolicy, TrainingBand, TrainingRules
from townlet_core.stability import Criterion, Decision, Evidence, decide

RULES = TrainingRules(
    updates=10,
    max={"kl": 0.02},
    min={"entropy": 0.03},
    bands={
        "return": TrainingBand(below=0.5, scale="absolute"),
        "grad": TrainingBand(above=1.0, scale="relative"),
        "entropy": TrainingBand(below=0.5, above=0.5, scale="relative"),
    },
    uncompared="allow",
    frozen="hold",
)


def judged(plan: GatePolicy, evidence: Evidence, **rules: object) -> Decision:
    training = RULES.model_copy(update=rules)
    return decide(plan.model_copy(update={"training": training}), by_plan(plan, evidence))


def criterion(decision: Decision, name: str) -> Criterion:
    return next(one for one in decision.criteria if one.name == name)


def beside(**figures: float | None) -> Evidence:
    """A candidate whose training differs from the current release's in some figures."""
    return with_current(training=trained(figures=LOGGED | figures))


def test_a_rerun_with_the_very_same_log_passes_every_band(plan: GatePolicy) -> None:
    for decision in (decide(plan, with_current()), judged(plan, with_current())):
        found = [one for one in decision.criteria if one.name.startswith("training.")]
        assert decision.verdict == "PROMOTE", decision.reasons
        assert {str(one.verdict) for one in found} == {"pass"}
    assert {one.name for one in found} == {
        "training.candidate",
        "training.log",
        "training.kl.max",
        "training.entropy.min",
        "training.baseline",
        "training.baseline_log",
        "training.return.band",
        "training.grad.band",
        "training.entropy.band",
    }


@pytest.mark.parametrize(
    ("figures", "verdict", "told"),
    [
        ({"queue_intensity": 621.0}, "HOLD", "training.queue_intensity.band"),
        ({"queue_events": 601.0}, "HOLD", "training.queue_events.band"),
        ({"late_help": 0.9}, "FAIL", "training.late_help.min"),
        ({"queue_intensity": 0.0, "queue_events": 0.0}, "PROMOTE", ""),
    ],
)
def test_the_shipped_plan_asks_for_no_longer_waits_and_for_help(
    plan: GatePolicy, figures: dict[str, float | None], verdict: str, told: str
) -> None:
    decision = decide(plan, beside(**figures))
    assert decision.verdict == verdict, decision.reasons
    assert told in " ".join(decision.reasons)


@pytest.mark.parametrize(
    ("figures", "name", "verdict", "reason"),
    [
        ({"kl": 0.021}, "training.kl.max", "FAIL", "kl over the last 10 updates is 0.021, which is above 0.02"),
        ({"entropy": 0.029}, "training.entropy.min", "FAIL", "is 0.029, which is below 0.03"),
        ({"return": 0.99}, "training.return.band", "HOLD", "lies outside at least 1, around the 1.5 of the current"),
        ({"return": 9.0}, "training.return.band", "PROMOTE", "stays within at least 1"),
        ({"grad": 1.01}, "training.grad.band", "HOLD", "lies outside at most 1, around the 0.5"),
        ({"entropy": 0.23}, "training.entropy.band", "HOLD", "0.23, which lies outside 0.075 to 0.225"),
        ({"entropy": 0.07}, "training.entropy.band", "HOLD", "0.07, which lies outside 0.075 to 0.225"),
        ({"kl": None}, "training.kl.max", "HOLD", "was not measured"),
        ({"kl": float("nan")}, "training.kl.max", "HOLD", "was not measured"),
        ({"return": float("inf")}, "training.return.band", "HOLD", "was not measured"),
    ],
)
def test_a_figure_is_held_to_its_bound_and_its_band(
    plan: GatePolicy, figures: dict[str, float | None], name: str, verdict: str, reason: str
) -> None:
    decision = judged(plan, beside(**figures))
    assert decision.verdict == verdict, decision.reasons
    found = criterion(decision, name)
    assert reason in found.reason
    assert found.what_would_change
    assert [line.split(": ")[0] for line in decision.reasons][:1] == ([] if verdict == "PROMOTE" else [name])


def test_figures_that_the_log_lacks_hold_on_either_side(plan: GatePolicy) -> None:
    poor = {name: value for name, value in LOGGED.items() if name not in {"grad", "kl"}}
    ours = judged(plan, with_current(training=trained(figures=poor)))
    assert ours.verdict == "HOLD"
    assert [line.split(": ")[0] for line in ours.reasons] == ["training.kl.max", "training.grad.band"]
    theirs = judged(plan, with_current(baseline_training=trained(CURRENT, figures=poor)))
    assert theirs.reasons == ("training.grad.band: grad was not measured in the current release's training",)
    sour = judged(plan, with_current(baseline_training=trained(CURRENT, figures=LOGGED | {"grad": float("nan")})))
    assert sour.verdict == "HOLD"


@pytest.mark.parametrize(
    ("evidence", "name", "reason"),
    [
        (sound_evidence(training=None), "training", "the log of the candidate's training is missing"),
        (sound_evidence(training=trained("0" * 64)), "training.candidate", "is 000000000000…, not cccccccccccc…"),
        (sound_evidence(training=trained(logged=12)), "training.log", "the number of updates in the log is 12, not 30"),
        (sound_evidence(training=trained(logged=0, planned=0)), "training.log", "is missing"),
        (with_current(baseline_training=None), "training.baseline", "current release's training is missing"),
        (with_current(baseline_training=trained("0" * 64)), "training.baseline", "not 999999999999…"),
        (with_current(baseline_training=trained(CURRENT, logged=29)), "training.baseline_log", "is 29, not 30"),
    ],
)
def test_a_log_that_is_missing_stale_or_cut_short_holds(
    plan: GatePolicy, evidence: Evidence, name: str, reason: str
) -> None:
    decision = judged(plan, evidence)
    assert decision.verdict == "HOLD"
    assert reason in criterion(decision, name).reason
    assert criterion(decision, name).verdict == "hold"


def test_a_clone_has_no_such_log_and_says_so(plan: GatePolicy) -> None:
    clone = trained(recipe=None, form=None, logged=0, planned=0, figures={})
    decision = judged(plan, sound_evidence(training=clone))
    assert decision.verdict == "PROMOTE"
    assert criterion(decision, "training.log").reason.startswith("the candidate is a clone, which `cloning` judges")


@pytest.mark.parametrize(
    ("baseline", "told"),
    [
        (trained(CURRENT, recipe="b" * 64), "was trained by another recipe"),
        (trained(CURRENT, recipe=None, figures={}), "is a clone, which has no such log"),
        (trained(CURRENT, form="2.0", figures={}), "has another form, 2.0"),
    ],
)
def test_a_release_that_cannot_be_compared_holds_or_not_as_the_plan_says(
    plan: GatePolicy, baseline: object, told: str
) -> None:
    evidence = with_current(baseline_training=baseline)
    allowed, held = judged(plan, evidence), judged(plan, evidence, uncompared="hold")
    assert (allowed.verdict, held.verdict) == ("PROMOTE", "HOLD")
    assert told in criterion(allowed, "training.bands").reason
    assert criterion(held, "training.bands").what_would_change == "training.uncompared: allow in the plan"


def test_a_training_in_which_nobody_lived_is_judged_by_what_it_measures(plan: GatePolicy) -> None:
    told = {"kl": 0.003, "entropy": 0.15, "grad": 0.5}
    ours, theirs = (trained(policy, mode="replay", figures=told) for policy in (CANDIDATE, CURRENT))
    decision = judged(plan, with_current(training=ours, baseline_training=theirs))
    assert decision.verdict == "PROMOTE", decision.reasons
    names = {one.name for one in decision.criteria if one.name.startswith("training.")}
    assert {"training.mode", "training.kl.max", "training.grad.band"} <= names
    assert "training.return.band" not in names
    poor = trained(mode="replay", figures={"entropy": 0.15, "grad": 0.5})
    assert judged(plan, with_current(training=poor, baseline_training=theirs)).reasons == (
        "training.kl.max: kl over the last 10 updates was not measured",
    )


def test_annealing_that_ended_frozen_holds_or_not_as_the_plan_says(plan: GatePolicy) -> None:
    frozen = sound_evidence(training=trained(mode="anneal", frozen=True))
    held = judged(plan, frozen)
    assert held.reasons == ("training.annealing: annealing ended frozen, with a key figure below its bound",)
    assert (held.verdict, judged(plan, frozen, frozen="allow").verdict) == ("HOLD", "PROMOTE")
    assert judged(plan, sound_evidence(training=trained(mode="anneal", frozen=False))).verdict == "PROMOTE"


def test_a_first_release_is_held_to_bounds_alone(plan: GatePolicy) -> None:
    names = {one.name for one in judged(plan, sound_evidence()).criteria if one.name.startswith("training")}
    assert names == {"training.candidate", "training.log", "training.kl.max", "training.entropy.min"}


def test_a_release_of_another_layout_is_not_compared(plan: GatePolicy) -> None:
    decision = judged(plan, with_incompatible())
    assert decision.verdict == "PROMOTE"
    assert "another layout" in criterion(decision, "training.bands").reason


def test_what_is_judged_is_in_the_evidence_that_the_decision_names(plan: GatePolicy) -> None:
    one, other = sound_evidence(), sound_evidence(training=trained(CANDIDATE, logged=12))
    assert judged(plan, one).evidence_digest != judged(plan, other).evidence_digest
