"""Nothing ships without a decision that promotes exactly it; the release pointer moves whole or not at all."""

from pathlib import Path

import pytest

from tests.core.stability.conftest import (
    CANDIDATE,
    CURRENT,
    drawn_evaluation,
    sound_evidence,
    with_current,
    with_incompatible,
)
from townlet_core.config.gates import GatePolicy
from townlet_core.datasets import Store
from townlet_core.errors import DataError, RefusedError
from townlet_core.stability import (
    Decision,
    Evidence,
    Release,
    Verdict,
    champion,
    current_release,
    decide,
    history,
    publish,
    read_decision,
    require_promotion,
    write_decision,
)
from townlet_core.stability.pointer import CURRENT_RELEASE, HISTORY
from townlet_core.stability.promotion import DECISION


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def release(name: str, decision: Decision) -> Release:
    return Release(
        release_id=name,
        policy_digest=decision.candidate_digest,
        content_digest="b" * 64,
        decision_digest=decision.digest,
        bundle=f"releases/{name}",
    )


def promoted(plan: GatePolicy, policy: str, baseline: str | None) -> Decision:
    """A decision that promotes a policy against a baseline."""
    decision = decide(plan, sound_evidence())
    return decision.model_copy(update={"candidate_digest": policy, "baseline_digest": baseline})


def refusal(recorded: Decision | None, plan: GatePolicy, evidence: Evidence) -> str:
    with pytest.raises(RefusedError) as refused:
        require_promotion(recorded, plan, evidence)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_recorded_promotion_of_exactly_this_is_let_through(plan: GatePolicy, store: Store) -> None:
    write_decision(store, decide(plan, sound_evidence()))
    assert require_promotion(read_decision(store), plan, sound_evidence()).verdict == "PROMOTE"


def test_no_decision_is_refused(plan: GatePolicy, store: Store) -> None:
    assert "no decision was recorded; run the promotion step" in refusal(read_decision(store), plan, sound_evidence())


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (sound_evidence(data=None), "refused: HOLD: evidence.data: the dataset of the data figures is missing"),
        (sound_evidence(evaluation=drawn_evaluation(shift={"attendance": -0.4})), "refused: FAIL: guard."),
    ],
)
def test_a_hold_or_a_fail_is_refused_with_its_reasons(plan: GatePolicy, evidence: Evidence, told: str) -> None:
    assert told in refusal(decide(plan, evidence), plan, evidence)


@pytest.mark.parametrize(
    ("shipped", "told"),
    [
        (sound_evidence(candidate_digest="0" * 64), "the decision is about another candidate"),
        (sound_evidence(dataset_id="0" * 64), "the decision is about another dataset"),
        (sound_evidence(evaluation=drawn_evaluation(1)), "the decision rests on another evaluation"),
        (sound_evidence(evaluation=None), "the decision rests on another evaluation"),
        (with_current(), "the decision compares with another release"),
    ],
)
def test_a_decision_about_something_else_is_refused(plan: GatePolicy, shipped: Evidence, told: str) -> None:
    assert told in refusal(decide(plan, sound_evidence()), plan, shipped)


def test_a_promotion_over_a_release_of_another_layout_is_let_through_as_recorded(
    plan: GatePolicy, store: Store
) -> None:
    write_decision(store, decide(plan, with_incompatible()))
    assert require_promotion(read_decision(store), plan, with_incompatible()).baseline_digest == CURRENT


@pytest.mark.parametrize(
    ("shipped", "told"),
    [
        (with_incompatible(baseline_digest="0" * 64), "the decision compares with another release"),
        (sound_evidence(), "the decision compares with another release"),
        (with_current(), "the decision rests on another evaluation"),
        (with_current(evaluation=drawn_evaluation(follows=CURRENT)), "the record is not what plan and evidence give"),
        (with_incompatible(incompatible="map window is 11"), "the record is not what plan and evidence give"),
    ],
)
def test_a_promotion_over_a_release_of_another_layout_holds_for_no_other(
    plan: GatePolicy, shipped: Evidence, told: str
) -> None:
    assert told in refusal(decide(plan, with_incompatible()), plan, shipped)


def test_a_first_promotion_does_not_hold_once_there_is_a_release_of_another_layout(plan: GatePolicy) -> None:
    assert "compares with another release" in refusal(decide(plan, sound_evidence()), plan, with_incompatible())


def test_a_hold_over_a_release_of_another_layout_is_refused_whatever_the_record_says(plan: GatePolicy) -> None:
    rule = plan.incompatible_release.model_copy(update={"allow": False})
    strict = plan.model_copy(update={"incompatible_release": rule})
    held = decide(strict, with_incompatible())
    assert "refused: HOLD: incompatible_release: " in refusal(held, strict, with_incompatible())
    forged = held.model_copy(update={"verdict": "PROMOTE"})
    assert "not what plan and evidence give" in refusal(forged, strict, with_incompatible())
    assert "changed since" in refusal(decide(plan, with_incompatible()), strict, with_incompatible())


def test_a_plan_that_changed_after_the_decision_is_refused_even_if_it_became_laxer(plan: GatePolicy) -> None:
    lax = plan.model_copy(update={"cloning": plan.cloning.model_copy(update={"min_accuracy": 0.5})})
    assert "the plan in the gates file changed since" in refusal(decide(plan, sound_evidence()), lax, sound_evidence())


def test_a_plan_that_was_laxened_to_get_through_must_be_decided_anew(plan: GatePolicy) -> None:
    cloning = sound_evidence().cloning
    assert cloning is not None
    weak = sound_evidence(cloning=cloning.model_copy(update={"accuracy": 0.86}))
    recorded = decide(plan, weak)
    assert recorded.verdict == "FAIL"
    lax = plan.model_copy(update={"cloning": plan.cloning.model_copy(update={"min_accuracy": 0.5})})
    assert "changed since" in refusal(recorded, lax, weak)


def test_an_edited_verdict_is_refused(plan: GatePolicy, store: Store) -> None:
    evidence = sound_evidence(data=None)
    write_decision(store, decide(plan, evidence).model_copy(update={"verdict": "PROMOTE"}))
    assert "not what plan and evidence give" in refusal(read_decision(store), plan, evidence)


def test_evidence_that_changed_under_the_same_digests_is_refused(plan: GatePolicy) -> None:
    data = sound_evidence().data
    assert data is not None
    other = sound_evidence(data=data.model_copy(update={"decisions": 30_000}))
    assert "not what plan and evidence give" in refusal(decide(plan, sound_evidence()), plan, other)


def test_a_decision_made_in_the_towns_of_another_engine_is_refused(plan: GatePolicy) -> None:
    moved_on = sound_evidence(engine="0" * 64)
    assert "not what plan and evidence give" in refusal(decide(plan, sound_evidence()), plan, moved_on)
    assert "HOLD: evidence.engine" in refusal(decide(plan, moved_on), plan, moved_on)


def test_a_criterion_that_was_edited_away_is_refused(plan: GatePolicy) -> None:
    evidence = sound_evidence(evaluation=drawn_evaluation(shift={"attendance": -0.4}))
    honest = decide(plan, evidence)
    passing = tuple(one for one in honest.criteria if one.verdict is Verdict.PASS)
    forged = honest.model_copy(update={"criteria": passing, "verdict": "PROMOTE"})
    assert "not what plan and evidence give" in refusal(forged, plan, evidence)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"verdict": "PROMOTE"}'])
def test_a_damaged_record_is_an_error_not_a_promotion(store: Store, content: bytes) -> None:
    path = store.path(DECISION)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"decision\.json"):
        read_decision(store)


def test_the_first_release_becomes_current_and_is_written_down(plan: GatePolicy, store: Store) -> None:
    decision = promoted(plan, CANDIDATE, None)
    assert current_release(store) is None
    assert publish(store, release("r1", decision), decision, {"host": "here"})
    assert current_release(store) == release("r1", decision)
    (entry,) = history(store)
    assert (entry.sequence, entry.event, entry.previous, entry.facts) == (1, "promoted", None, {"host": "here"})


def test_publishing_again_changes_nothing(plan: GatePolicy, store: Store) -> None:
    decision = promoted(plan, CANDIDATE, None)
    publish(store, release("r1", decision), decision, {"run": 1})
    before = {path: path.read_bytes() for path in Path(store.root).rglob("*") if path.is_file()}
    assert not publish(store, release("r1", decision), decision, {"run": 2})
    assert {path: path.read_bytes() for path in Path(store.root).rglob("*") if path.is_file()} == before


def test_history_only_grows_and_names_the_release_before(plan: GatePolicy, store: Store) -> None:
    first, second = promoted(plan, CANDIDATE, None), promoted(plan, CURRENT, CANDIDATE)
    publish(store, release("r1", first), first, {})
    lines = store.path(HISTORY).read_bytes()
    publish(store, release("r2", second), second, {})
    assert store.path(HISTORY).read_bytes().startswith(lines)
    assert [(one.sequence, one.release.release_id, one.previous) for one in history(store)] == [
        (1, "r1", None),
        (2, "r2", "r1"),
    ]


def test_a_run_that_dies_before_the_pointer_moves_leaves_the_old_release_and_can_be_repeated(
    plan: GatePolicy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = promoted(plan, CANDIDATE, None), promoted(plan, CURRENT, CANDIDATE)
    publish(store, release("r1", first), first, {})

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "write_record", dies)
    with pytest.raises(KeyboardInterrupt):
        publish(store, release("r2", second), second, {})
    monkeypatch.undo()
    assert current_release(store) == release("r1", first)
    assert publish(store, release("r2", second), second, {})
    assert current_release(store) == release("r2", second)
    assert [one.release.release_id for one in history(store)] == ["r1", "r2"]


def test_a_release_that_never_became_current_is_nobodys_rival(
    plan: GatePolicy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = promoted(plan, CANDIDATE, None), promoted(plan, CURRENT, CANDIDATE)
    publish(store, release("r1", first), first, {})
    monkeypatch.setattr(Store, "write_record", lambda *_: None)
    publish(store, release("r2", second), second, {})
    monkeypatch.undo()
    assert [one.release.release_id for one in history(store)] == ["r1", "r2"]
    assert current_release(store) == release("r1", first)
    assert champion(store, CANDIDATE) is None
    assert champion(store, CURRENT) == release("r1", first)


@pytest.mark.parametrize("verdict", ["HOLD", "FAIL"])
def test_nothing_but_a_promotion_moves_the_pointer(plan: GatePolicy, store: Store, verdict: str) -> None:
    decision = promoted(plan, CANDIDATE, None).model_copy(update={"verdict": verdict})
    with pytest.raises(RefusedError, match=f"the decision is {verdict}"):
        publish(store, release("r1", decision), decision, {})
    assert not any(Path(store.root).rglob("*.json*"))


def test_a_decision_about_another_policy_moves_nothing(plan: GatePolicy, store: Store) -> None:
    decision = promoted(plan, CANDIDATE, None)
    other = release("r1", decision).model_copy(update={"policy_digest": CURRENT})
    with pytest.raises(RefusedError, match="about another policy"):
        publish(store, other, decision, {})
    assert current_release(store) is None


def test_a_release_judged_against_one_that_is_no_longer_current_is_refused(plan: GatePolicy, store: Store) -> None:
    first, rival, late = (
        promoted(plan, CANDIDATE, None),
        promoted(plan, CURRENT, CANDIDATE),
        promoted(plan, "5" * 64, CANDIDATE),
    )
    publish(store, release("r1", first), first, {})
    publish(store, release("r2", rival), rival, {})
    with pytest.raises(RefusedError, match="not the one it was judged against"):
        publish(store, release("r3", late), late, {})
    assert current_release(store) == release("r2", rival)


def test_a_release_of_another_layout_is_replaced_only_while_it_is_the_one_that_was_named(
    plan: GatePolicy, store: Store
) -> None:
    first, rival = promoted(plan, CURRENT, None), promoted(plan, "5" * 64, CURRENT)
    decision = decide(plan, with_incompatible())
    with pytest.raises(RefusedError, match="not the one it was judged against"):
        publish(store, release("r3", decision), decision, {})
    publish(store, release("r1", first), first, {})
    assert publish(store, release("r3", decision), decision, {})
    again = Store(Path(store.root) / "again")
    publish(again, release("r1", first), first, {})
    publish(again, release("r2", rival), rival, {})
    with pytest.raises(RefusedError, match="not the one it was judged against"):
        publish(again, release("r3", decision), decision, {})
    assert current_release(again) == release("r2", rival)


def test_a_candidate_is_measured_against_the_release_that_it_replaces_also_when_it_is_built_again(
    plan: GatePolicy, store: Store
) -> None:
    first, second = promoted(plan, CANDIDATE, None), promoted(plan, CURRENT, CANDIDATE)
    assert champion(store, CANDIDATE) is None
    publish(store, release("r1", first), first, {})
    assert champion(store, CANDIDATE) is None
    assert champion(store, CURRENT) == release("r1", first)
    publish(store, release("r2", second), second, {})
    assert champion(store, CURRENT) == release("r1", first)
    assert champion(store, CANDIDATE) == release("r2", second)


@pytest.mark.parametrize("place", [CURRENT_RELEASE, HISTORY])
def test_a_damaged_pointer_or_history_is_an_error(plan: GatePolicy, store: Store, place: str) -> None:
    decision = promoted(plan, CANDIDATE, None)
    publish(store, release("r1", decision), decision, {})
    path = store.path(place)
    path.write_bytes(path.read_bytes()[:40] + b"\n")
    with pytest.raises(DataError, match=path.name):
        current_release(store) if place == CURRENT_RELEASE else history(store)
