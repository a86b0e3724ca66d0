"""A release fails closed: nothing is shipped that was not promoted exactly as it is, whatever was run or left out."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import yaml

from tests.pipelines.conftest import DAY, Prepared, edited_scenario, foreign_teacher, republish
from tests.small_house import edit
from townlet_core.config import canonical_json, load_training
from townlet_core.config.gates import load_gates
from townlet_core.release.calibrating import calibrate_gate
from townlet_core.release.candidate import read_candidate, train_candidate
from townlet_core.release.golden import rehearse_golden
from townlet_core.release.judging import evaluate_candidate
from townlet_core.release.workshop import stored_bytes
from townlet_core.stability import Decision, read_decision


def replace(path: Path, text: str) -> None:
    """Write a file anew; the copies share their bytes with the original, which must stay as it is."""
    path.unlink()
    path.write_text(text)


@contextmanager
def nothing_shipped(house: Prepared) -> Iterator[None]:
    releases = house.data / "releases"
    before = {path: path.read_bytes() for path in releases.rglob("*") if path.is_file()}
    yield
    assert {path: path.read_bytes() for path in releases.rglob("*") if path.is_file()} == before


def refusals(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return "\n".join(str(data.user_failure_data or data.error) for data in failures)


def materialised(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}


def strict_plan(house: Prepared) -> None:
    plan = yaml.safe_load((house.configs / "gates.yaml").read_text())
    edit(house.configs / "gates.yaml", cloning={**plan["cloning"], "min_accuracy": 1.0})


def unproven_plan(house: Prepared) -> None:
    plan = yaml.safe_load((house.configs / "gates.yaml").read_text())
    edit(house.configs / "gates.yaml", comparison={**plan["comparison"], "windows": 3})


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [(strict_plan, "FAIL"), (unproven_plan, "HOLD"), (edited_scenario, "HOLD"), (foreign_teacher, "HOLD")],
)
def test_a_verdict_that_is_no_promotion_stops_the_run_with_its_reasons(
    prepared: Prepared, spoil: Callable[[Prepared], None], verdict: str
) -> None:
    spoil(prepared)
    with nothing_shipped(prepared):
        result = prepared.materialise("promotion_decision", "release_bundle", "release_pointer")
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert f"promotion: refused: {verdict}: " in (check.description or "")
    assert materialised(result) == {"promotion_decision"}


@pytest.mark.parametrize(("plan", "verdict"), [(strict_plan, "FAIL"), (unproven_plan, "HOLD")])
def test_a_later_run_of_the_bundle_alone_is_refused(
    prepared: Prepared, plan: Callable[[Prepared], None], verdict: str
) -> None:
    plan(prepared)
    prepared.materialise("promotion_decision")
    with nothing_shipped(prepared):
        assert f"promotion: refused: {verdict}: " in refusals(prepared.materialise("release_bundle"))


def test_a_run_without_its_checks_is_refused(prepared: Prepared) -> None:
    strict_plan(prepared)
    with nothing_shipped(prepared):
        result = prepared.materialise("promotion_decision", "release_bundle", "release_pointer", checks=False)
    assert result.get_asset_check_evaluations() == []
    assert "promotion: refused: FAIL: " in refusals(result)


def test_the_pointer_alone_is_refused_too(prepared: Prepared) -> None:
    strict_plan(prepared)
    prepared.materialise("promotion_decision")
    with nothing_shipped(prepared):
        assert "promotion: refused: FAIL: " in refusals(prepared.materialise("release_pointer"))


def without_decision(house: Prepared) -> None:
    (house.data / "promotion/decision.json").unlink()


def edited_plan(house: Prepared) -> None:
    edit(house.configs / "gates.yaml", plan="another_plan")


def another_candidate(house: Prepared) -> None:
    profile = load_training(house.configs / "training/quick.yaml").model_copy(update={"seed": 99, "ppo": None})
    profile = profile.model_copy(update={"ships": "clone"})
    workshop = house.line.workshop
    workshop.publish("candidate", train_candidate(workshop.latest("dataset")["id"], profile, workshop, []).record)


def another_evaluation(house: Prepared) -> None:
    workshop = house.line.workshop
    gates = load_gates(house.configs / "gates.yaml")
    other = gates.model_copy(update={"comparison": gates.comparison.model_copy(update={"seed": 2})})
    workshop.publish("evaluation", evaluate_candidate(read_candidate(workshop), house.configs, other, workshop).record)


def no_evaluation(house: Prepared) -> None:
    (house.data / "line/evaluation.json").unlink()


def forged_decision(house: Prepared) -> None:
    """A decision of the strict plan with PROMOTE written over its verdict."""
    strict_plan(house)
    house.materialise("promotion_decision")
    path = house.data / "promotion/decision.json"
    replace(path, json.dumps({**json.loads(path.read_text()), "verdict": "PROMOTE"}))


def other_telemetry(house: Prepared) -> None:
    path = house.data / "line/telemetry.json"
    replace(path, json.dumps({**json.loads(path.read_text()), "candidate": "0" * 64}))


def no_calibration(house: Prepared) -> None:
    (house.data / "line/calibration.json").unlink()


def other_calibration(house: Prepared) -> None:
    """Error rates of a gate with other trials; the decision does not rest on them, the bundle does."""
    workshop = house.line.workshop
    gates = load_gates(house.configs / "gates.yaml")
    other = gates.model_copy(update={"calibration": gates.calibration.model_copy(update={"trials": 10})})
    workshop.publish("calibration", calibrate_gate(house.configs, other, workshop).record)


def calibration_of_another_teacher(house: Prepared) -> None:
    change_calibration(house, teacher="0" * 64)


def calibration_in_other_scenarios(house: Prepared) -> None:
    change_calibration(house, scenarios={"low_money": "0" * 64})


def change_calibration(house: Prepared, **basis: object) -> None:
    """The error rates on record, as if the towns of the pool had been lived in by something else."""
    workshop = house.line.workshop
    body = json.loads(stored_bytes(workshop.artifacts, workshop.latest("calibration")["calibration"]))
    changed = canonical_json({**body, "basis": {**body["basis"], **basis}})
    name = workshop.artifacts.put_bytes(changed, ".json") + ".json"
    republish(workshop, "calibration", lambda record: record.update(calibration=name))


def damaged_shard(house: Prepared) -> None:
    record = json.loads((house.data / f"datasets/captures/one_shower/{DAY}.json").read_text())
    shard = house.data / "datasets/objects" / record["events"]
    content = shard.read_bytes()
    shard.unlink()
    shard.write_bytes(content[:-9])


def curated_again(house: Prepared) -> None:
    path = house.data / f"datasets/curated/one_shower/{DAY}.json"
    record = json.loads(path.read_text())
    record["episodes"][0]["reasons"] = ["death: 1 lives ended; none"]
    replace(path, json.dumps(record))


def damaged_weights(house: Prepared) -> None:
    record = json.loads((house.data / "line/candidate.json").read_text())
    weights = house.data / "artifacts/objects" / record["weights"]
    content = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(content[:-4] + b"\0\0\0\0")


def without_golden(house: Prepared) -> None:
    (house.data / "line/golden.json").unlink()


def golden_of_another_candidate(house: Prepared) -> None:
    change_golden(house, policies={"candidate": "0" * 64, "teacher": "1" * 64})


def golden_that_forgot(house: Prepared) -> None:
    """The same rollouts under a plan that asks for more than the teacher can do, judged honestly."""
    stricter_golden(house)
    workshop = house.line.workshop
    workshop.publish("golden", rehearse_golden(read_candidate(workshop), house.configs, workshop).record)


def forged_golden(house: Prepared) -> None:
    """What was forgotten is written over with what passes."""
    golden_that_forgot(house)
    report = json.loads((house.data / "line/golden.json").read_text())["report"]
    change_golden(house, criteria=[{**one, "verdict": "pass"} for one in report["criteria"]])


def stricter_golden(house: Prepared) -> None:
    golden = yaml.safe_load((house.configs / "rehearsal.yaml").read_text())["golden"]
    edit(house.configs / "rehearsal.yaml", golden={**golden, "bands": {"return": {"margin": 0.0}}})


def golden_rollouts_lost(house: Prepared) -> None:
    record = json.loads((house.data / "line/golden.json").read_text())
    (house.data / "artifacts/objects" / record["rollouts"]["teacher"]["towns"]).unlink()


def change_golden(house: Prepared, **changes: object) -> None:
    path = house.data / "line/golden.json"
    record = json.loads(path.read_text())
    replace(path, json.dumps({**record, "report": {**record["report"], **changes}}))


def without_drill(house: Prepared) -> None:
    (house.data / "line/drill.json").unlink()


def drill_of_another_decision(house: Prepared) -> None:
    path = house.data / "line/drill.json"
    replace(path, json.dumps({**json.loads(path.read_text()), "decision_digest": "0" * 64}))


def drill_that_went_wrong(house: Prepared) -> None:
    path = house.data / "line/drill.json"
    record = json.loads(path.read_text())
    record["steps"][1].update(observed="none", holds=False)
    replace(path, json.dumps(record))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without_golden, "golden: no golden rollouts were recorded; materialise golden_rollouts"),
        (golden_of_another_candidate, "golden: they are about another candidate"),
        (stricter_golden, "golden: the plan in rehearsal.yaml changed since"),
        (golden_that_forgot, "golden: refused: fail: golden."),
        (forged_golden, "golden: the record is not what plan and rollouts give"),
        (golden_rollouts_lost, "missing; restore the file"),
        (without_drill, "drill: no drill was recorded; materialise promotion_drill"),
        (drill_of_another_decision, "drill: is about another decision"),
        (drill_that_went_wrong, "drill: the promotion is repeated: did not go as it must"),
        (without_decision, "no decision was recorded"),
        (edited_plan, "the plan in the gates file changed since"),
        (another_candidate, "the decision is about another candidate"),
        (another_evaluation, "the decision rests on another evaluation"),
        (no_evaluation, "the decision rests on another evaluation"),
        (forged_decision, "the record is not what plan and evidence give"),
        (foreign_teacher, "the decision rests on another evaluation"),
        (edited_scenario, "the configuration of low_money in the evaluation is "),
        (other_telemetry, "telemetry: is about another candidate"),
        (no_calibration, "the gate's error rates were not measured"),
        (other_calibration, "the gate's error rates are those of another plan; materialise"),
        (calibration_of_another_teacher, "the gate's error rates are those of another teacher; materialise"),
        (calibration_in_other_scenarios, "the gate's error rates are those of another scenario "),
        (damaged_shard, "damaged"),
        (curated_again, "was curated again after the dataset was built"),
        (damaged_weights, "damaged"),
    ],
)
@pytest.mark.parametrize("checks", [True, False], ids=["with checks", "without checks"])
def test_evidence_that_does_not_fit_what_is_shipped_is_refused(
    prepared: Prepared, spoil: Callable[[Prepared], None], says: str, checks: bool
) -> None:
    spoil(prepared)
    with nothing_shipped(prepared):
        assert says in refusals(prepared.materialise("release_bundle", checks=checks))


def test_an_unspoilt_release_can_be_bundled_again_by_itself(prepared: Prepared) -> None:
    """The counterpart of every refusal above: with nothing spoilt the same run succeeds."""
    with nothing_shipped(prepared):
        assert prepared.materialise("release_bundle", "release_pointer").success


def test_a_decision_says_what_would_have_changed_it(prepared: Prepared) -> None:
    strict_plan(prepared)
    prepared.materialise("promotion_decision")
    decision = read_decision(prepared.line.workshop.state)
    assert isinstance(decision, Decision)
    failed = [criterion for criterion in decision.criteria if criterion.name == "cloning.accuracy"]
    assert [criterion.what_would_change for criterion in failed] == ["the accuracy on held-out decisions of at least 1"]
