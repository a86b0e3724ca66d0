"""What a stage guarantees is checked in its own step: a broken blocking guarantee stops there and is not published."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import townlet_core.datasets
import townlet_core.policy.ppo.starting
import townlet_core.release.candidate
import townlet_core.release.judging
from assets.capture import capture_asset
from assets.curation import curated_asset
from assets.datasets import dataset_asset
from assets.evaluation import evaluation
from assets.line import Line
from assets.telemetry import telemetry_summary
from assets.training import policy_candidate
from assets.verdicts import Finding, Guarantee, may_go_on, results
from tests.assets.conftest import DAY, SCENARIOS, run, verdicts
from tests.small_house import edit
from townlet_core.datasets import CaptureRecord, read_capture
from townlet_core.release.candidate import Candidate, read_candidate
from townlet_core.stability import Evaluation


def spoilt_capture(line: Line, change: Any) -> CaptureRecord:
    """The capture of low_money with a changed steps table, stored and recorded as if it had been captured so."""
    record = read_capture(line.store, "low_money", DAY)
    table = line.store.open(record.digest).read()

    def write(sink: Any) -> None:
        with pq.ParquetWriter(sink, table.schema) as writer:
            writer.write_table(change(table))

    return replace(record, steps=line.store.put(write) + ".parquet")


def with_nan(table: pa.Table) -> pa.Table:
    reward = table.column("reward").to_numpy().copy()
    reward[7] = np.nan
    return table.set_column(table.schema.get_field_index("reward"), table.schema.field("reward"), pa.array(reward))


def with_a_row_less(table: pa.Table) -> pa.Table:
    return table.slice(1)


def mostly_clipped(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("clipped")
    return table.set_column(place, table.schema.field("clipped"), pa.array(np.ones(table.num_rows, np.bool_)))


@pytest.mark.parametrize(
    ("change", "broken", "stops"),
    [
        (with_nan, "values_are_finite", True),
        (with_a_row_less, "has_rows", True),
        (mostly_clipped, "few_clipped_rewards", False),
    ],
)
def test_a_capture_that_breaks_a_guarantee_is_stopped_or_marked(
    line: Line, monkeypatch: pytest.MonkeyPatch, change: Any, broken: str, stops: bool
) -> None:
    spoilt = spoilt_capture(line, change)
    monkeypatch.setattr(townlet_core.datasets, "capture", lambda *args, **options: spoilt)
    result = run(line, capture_asset("low_money"), curated_asset("low_money"))
    assert {name for name, passed in verdicts(result).items() if not passed} >= {broken}
    assert result.success is not stops
    curated = "curated__low_money" in {event.step_key for event in result.all_events if event.is_step_success}
    assert curated is not stops


def test_a_capture_without_a_choice_is_stopped(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    forced = replace(read_capture(line.store, "low_money", DAY), decisions=0)
    monkeypatch.setattr(townlet_core.datasets, "capture", lambda *args, **options: forced)
    result = run(line, capture_asset("low_money"))
    assert not result.success
    assert verdicts(result)["has_decisions"] is False


def test_a_capture_whose_bytes_changed_is_stopped_before_they_are_read(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_capture(line.store, "low_money", DAY)
    monkeypatch.setattr(townlet_core.datasets, "capture", lambda *args, **options: record)
    shard = Path(line.store.object_path(record.digest))
    content = bytearray(shard.read_bytes())
    content[5000] ^= 1
    shard.unlink()
    shard.write_bytes(bytes(content))
    result = run(line, capture_asset("low_money"))
    assert not result.success
    assert verdicts(result)["digest_verifies"] is False


def test_a_whole_capture_shows_what_it_holds(line: Line) -> None:
    result = run(line, capture_asset("low_money"))
    (materialised,) = result.asset_materializations_for_node("capture__low_money")
    record = read_capture(line.store, "low_money", DAY)
    assert result.success
    assert all(verdicts(result).values())
    assert materialised.metadata["reused"].value is True
    assert materialised.metadata["dagster/row_count"].value == record.rows == 4 * 8 * 1440
    assert "features" in {column.name for column in materialised.metadata["dagster/column_schema"].value.columns}
    assert materialised.tags["dagster/data_version"] == record.digest


def test_rules_that_reject_most_episodes_stop_at_curation_with_reasons(line: Line) -> None:
    edit(Path(line.configs) / "curation.yaml", min_ticks=100_000)
    result = run(line, curated_asset("low_money"))
    (materialised,) = result.asset_materializations_for_node("curated__low_money")
    assert not result.success
    assert verdicts(result) == {"enough_accepted": False, "nothing_rejected": False}
    assert "too_short: 1440 ticks; at least 100000" in materialised.metadata["rejected"].value


def test_a_dataset_is_made_of_every_curated_day_on_disk(line: Line) -> None:
    assert run(line, capture_asset("low_money"), curated_asset("low_money"), day="2026-11-02").success
    result = run(line, dataset_asset(SCENARIOS), day=None)
    assert result.success
    (materialised,) = result.asset_materializations_for_node("dataset_version")
    days = materialised.metadata["days"].value
    assert [day in days for day in ("low_money | 2026-11-01", "low_money | 2026-11-02")] == [True, True]
    assert materialised.tags["dagster/data_version"] == line.workshop.latest("dataset")["id"]


def test_a_dataset_lacking_a_scenario_is_stopped_and_not_published(line: Line) -> None:
    result = run(line, dataset_asset([*SCENARIOS, "one_shower"]), day=None)
    assert not result.success
    assert verdicts(result)["held_out_disjoint"] is False
    assert not line.workshop.has("dataset")


def test_a_day_curated_by_other_rules_is_left_out_with_its_reason_and_stops_nothing(line: Line) -> None:
    edit(Path(line.configs) / "curation.yaml", max_majority_share=0.95)
    assert run(line, *(curated_asset(scenario) for scenario in SCENARIOS), day=DAY).success
    edit(Path(line.configs) / "curation.yaml", max_majority_share=0.96)
    for scenario in SCENARIOS:
        assert run(line, capture_asset(scenario), curated_asset(scenario), day="2026-11-02").success
    result = run(line, dataset_asset(SCENARIOS), day=None)
    (materialised,) = result.asset_materializations_for_node("dataset_version")
    assert result.success
    assert verdicts(result)["no_day_left_out"] is False
    assert (
        "low_money/2026-11-01 | curated by other rules (max_majority_share)" in materialised.metadata["left_out"].value
    )
    assert "2026-11-01" not in materialised.metadata["days"].value


def test_rare_actions_only_mark_a_dataset(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.datasets.LEAST_CLASSES", 50)
    result = run(line, dataset_asset(SCENARIOS), day=None)
    assert result.success
    assert verdicts(result)["classes_over_one_percent"] is False


def test_a_dataset_without_any_curated_day_says_what_to_do(tmp_path: Path, line: Line) -> None:
    result = run(Line(data=str(tmp_path / "empty"), configs=line.configs), dataset_asset(SCENARIOS), day=None)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "capture and curate a scenario first" in failure.user_failure_data.description


@pytest.fixture
def trained(line: Line) -> Line:
    assert run(line, dataset_asset(SCENARIOS), day=None).success
    assert run(line, policy_candidate, day=None).success
    return line


def test_a_candidate_worse_than_guessing_is_stopped_and_not_published(
    trained: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = read_candidate(trained.workshop)
    report = {**good.report, "accuracy": good.report["majority_share"]}
    poor = Candidate({**good.record, "report": report, "digest": "f" * 64}, good.folder, reused=False)
    monkeypatch.setattr(townlet_core.release.candidate, "train_candidate", lambda *args: poor)
    result = run(trained, policy_candidate, day=None)
    assert not result.success
    assert verdicts(result)["beats_majority"] is False
    assert trained.workshop.latest("candidate")["digest"] == good.digest


def test_a_candidate_with_a_weight_that_is_not_finite_is_stopped(
    trained: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    good = read_candidate(trained.workshop)
    weights = load_file(good.folder / "policy.safetensors")
    weights["policy.bias"][0] = np.inf
    save_file(weights, tmp_path / "policy.safetensors")
    poor = Candidate(good.record, tmp_path, reused=False)
    monkeypatch.setattr(townlet_core.release.candidate, "train_candidate", lambda *args: poor)
    result = run(trained, policy_candidate, day=None)
    assert not result.success
    assert verdicts(result)["weights_are_finite"] is False


def improved_check(
    trained: Line, monkeypatch: pytest.MonkeyPatch, stage: str, ours: float | None
) -> dg.AssetCheckResult:
    """The check of a candidate whose profile wants an improvement, and whose clone returned 1."""
    good = read_candidate(trained.workshop)
    returns = {"return_mean": ours, "clone_return_mean": 1.0, "teacher_return_mean": 2.0}
    improvement = {**(good.improvement or {}), "validation": None if ours is None else returns}
    profile = {**good.record["profile"], "ships": "improved"}
    record = {**good.record, "stage": stage, "profile": profile, "improvement": improvement}
    found = Candidate(record, good.folder, reused=False)
    monkeypatch.setattr(townlet_core.release.candidate, "train_candidate", lambda *args: found)
    evaluations = run(trained, policy_candidate, day=None).get_asset_check_evaluations()
    return next(one for one in evaluations if one.check_name == "improves_on_the_clone")


@pytest.mark.parametrize(
    ("stage", "ours", "passed", "why"),
    [
        ("improved", 1.1, True, None),
        ("improved", 0.9, False, None),
        ("improved", None, False, "it was not compared: the profile has no validation towns"),
        ("clone", None, False, "no update was better"),
    ],
)
def test_an_improvement_must_be_better_than_the_clone_and_says_by_how_much(
    trained: Line, monkeypatch: pytest.MonkeyPatch, stage: str, ours: float | None, passed: bool, why: str | None
) -> None:
    check = improved_check(trained, monkeypatch, stage, ours)
    assert check.passed is passed
    told = {name: value.value for name, value in check.metadata.items()}
    assert told.get("why") == why
    assert (told.get("return_mean"), told.get("clone_return_mean")) == (ours, None if ours is None else 1.0)


def test_the_best_weights_of_a_clone_whose_loss_became_no_number_are_kept_and_named(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    from townlet_core.policy import bc
    from townlet_core.policy.checkpoint import load_checkpoint

    assert run(line, dataset_asset(SCENARIOS), day=None).success
    honest, judged = bc._losses, bc._judge
    epochs: list[float] = []

    def judge(*arguments: Any) -> Any:
        epochs.append(judged(*arguments)[0])
        return epochs[-1], 0.5

    def sour(*arguments: Any) -> Any:
        policy, value = honest(*arguments)
        return (policy * float("nan"), value) if len(epochs) == 2 else (policy, value)

    monkeypatch.setattr(bc, "_judge", judge)
    monkeypatch.setattr(bc, "_losses", sour)
    result = run(line, policy_candidate, day=None)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    (folder,) = (line.workshop.data / "training").glob("clone-*/best")
    assert f"epoch 3, minibatch 0: the loss is not finite; the best weights so far are kept in {folder};" in (
        failure.user_failure_data.description
    )
    assert np.isfinite(load_checkpoint(folder).weights.policy_weight).all()


def test_an_unknown_training_profile_is_told_in_one_line(trained: Line) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [policy_candidate],
            resources={"line": trained},
            instance=instance,
            raise_on_error=False,
            run_config={"ops": {"policy_candidate": {"config": {"profile": "slow"}}}},
        )
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "unknown training profile 'slow'; expected one of anneal, " in failure.user_failure_data.description
    assert len(failure.user_failure_data.description.splitlines()) == 1


def test_a_summary_shows_its_plots_and_warns_of_unmet_needs(trained: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.telemetry.LEAST_NEED", 2.0)
    edit(trained.config("watch.yaml"), max={"entropy": 0.0})
    result = run(trained, telemetry_summary, day=None)
    (materialised,) = result.asset_materializations_for_node("telemetry_summary")
    assert result.success
    assert verdicts(result) == {"needs_are_met": False, "training_kept_its_bounds": False}
    assert materialised.metadata["summary"].value.count("](data:image/png;base64,") == 5


def test_an_evaluation_with_a_figure_that_was_not_measured_is_stopped_and_not_published(
    trained: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate_by_plan = townlet_core.release.judging.evaluate_by_plan

    def incomplete(*args: Any, **options: Any) -> Evaluation:
        document = evaluate_by_plan(*args, **options).model_dump()
        kpis = document["windows"][0]["scenarios"]["low_money"]["policies"]["candidate"]["kpis"]
        kpis["survival"] = [None] * len(kpis["survival"])
        return Evaluation.model_validate(document)

    monkeypatch.setattr(townlet_core.release.judging, "evaluate_by_plan", incomplete)
    result = run(trained, evaluation, day=None)
    assert not result.success
    assert verdicts(result)["complete"] is False
    assert not trained.workshop.has("evaluation")


def test_only_a_blocking_guarantee_stops_the_line() -> None:
    blocking, warning = Guarantee("a", "stops"), Guarantee("b", "warns", blocking=False)
    assert may_go_on([Finding(blocking, True, {}), Finding(warning, False, {})])
    assert not may_go_on([Finding(blocking, False, {}), Finding(warning, True, {})])
    severities = [result.severity for result in results([Finding(blocking, False, {}), Finding(warning, False, {})])]
    assert severities == [dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN]


def test_a_candidate_is_trained_anew_when_the_sources_changed_since_the_last(
    trained: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*packages: str) -> str:
        return "0" * 64

    before = read_candidate(trained.workshop)
    monkeypatch.setattr(townlet_core.release.candidate, "source_digest", other)
    monkeypatch.setattr(townlet_core.policy.ppo.starting, "source_digest", other)
    assert run(trained, policy_candidate, day=None).success
    after = read_candidate(trained.workshop)
    assert after.digest == before.digest
    assert after.improvement is not None
    assert before.improvement is not None
    assert after.improvement["live_log"] != before.improvement["live_log"]


def test_the_same_candidate_is_found_and_not_trained_again(trained: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(townlet_core.release.candidate, "_cloned", lambda *args, **_: pytest.fail("it trained again"))
    assert run(trained, policy_candidate, day=None).success
    plan = yaml.safe_load((Path(trained.configs) / "training/quick.yaml").read_text())
    assert trained.workshop.latest("candidate")["profile"]["epochs"] == plan["epochs"]
