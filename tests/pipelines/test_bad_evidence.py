"""Evidence that cannot be trusted is refused in one line that names file and field, and moves nothing."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines.cli import whole_application
from tests.pipelines.conftest import Prepared, edited_scenario, foreign_teacher, republish
from townlet_core.config import canonical_json, load_training
from townlet_core.config.gates import load_gates
from townlet_core.errors import DataError
from townlet_core.release.candidate import read_candidate, train_candidate, training_scenarios
from townlet_core.release.judging import evaluate_candidate, read_evaluation
from townlet_core.release.workshop import Workshop, stored_bytes


def evaluated(house: Prepared) -> Any:
    """What `townlet promote evaluate --dry-run` says, or the error that it raises."""
    environment = {"TOWNLET_DATA": str(house.data), "TOWNLET_CONFIGS": str(house.configs)}
    words = ["promote", "evaluate", "--dry-run", "--json"]
    result = CliRunner().invoke(whole_application(), words, env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def with_log(house: Prepared, change: Callable[[pa.Table], pa.Table]) -> str:
    """Put another training log on the candidate's record; gives its name."""
    workshop = Workshop(house.data)
    log = pq.read_table(BytesIO(stored_bytes(workshop.artifacts, workshop.latest("candidate")["improvement"]["log"])))
    content = BytesIO()
    pq.write_table(change(log), content)
    name = workshop.artifacts.put_bytes(content.getvalue(), ".parquet") + ".parquet"
    republish(workshop, "candidate", lambda record: record["improvement"].update(log=name))
    return name


def sour(log: pa.Table, column: str) -> pa.Table:
    place = log.column_names.index(column)
    return log.set_column(place, column, pc.multiply(log.column(column), float("nan")))


def test_sound_evidence_promotes(prepared: Prepared) -> None:
    found = evaluated(prepared)
    assert found["verdict"] == "PROMOTE"
    names = {one["name"] for one in found["criteria"] if one["name"].startswith("training.")}
    assert names == {"training.candidate", "training.log", "training.kl.max", "training.entropy.min"}


@pytest.mark.parametrize(
    ("stale", "names"),
    [(foreign_teacher, ["evidence.teacher"]), (edited_scenario, ["evidence.scenario.low_money"])],
)
def test_an_evaluation_beside_another_teacher_or_in_other_scenarios_never_promotes(
    prepared: Prepared, stale: Callable[[Prepared], None], names: list[str]
) -> None:
    stale(prepared)
    found = evaluated(prepared)
    assert found["verdict"] == "HOLD"
    held = [one for one in found["criteria"] if one["verdict"] != "pass"]
    assert [one["name"] for one in held] == names
    assert held[0]["what_would_change"].startswith("an evaluation ")


@pytest.mark.parametrize(
    "field", ["kl_divergence", "episodes.survival", "schema_version", "conflict.rivalry_max_max_avg"]
)
def test_a_training_log_with_a_missing_field_is_refused(prepared: Prepared, field: str) -> None:
    name = with_log(prepared, lambda log: log.drop_columns([field]))
    with pytest.raises(DataError, match=rf"^{name}: (row 1: )?{field}: ") as refused:
        evaluated(prepared)
    assert "\n" not in str(refused.value)


def test_a_training_log_that_is_lost_is_refused(prepared: Prepared) -> None:
    name = with_log(prepared, lambda log: log.slice(0, 1))
    (prepared.data / "artifacts/objects" / name).unlink()
    with pytest.raises(DataError, match=name.partition(".")[0]):
        evaluated(prepared)


def test_a_log_that_is_cut_short_or_has_figures_that_are_no_numbers_never_promotes(prepared: Prepared) -> None:
    with_log(prepared, lambda log: log.slice(0, 1))
    cut = evaluated(prepared)
    assert cut["verdict"] == "HOLD"
    (told,) = [one for one in cut["criteria"] if one["verdict"] != "pass"]
    assert (told["name"], told["reason"]) == ("training.log", "the number of updates in the log is 1, not 2")


def test_figures_of_the_log_that_are_no_numbers_never_promote(prepared: Prepared) -> None:
    with_log(prepared, lambda log: sour(log, "kl_divergence"))
    found = evaluated(prepared)
    assert found["verdict"] == "HOLD"
    (told,) = [one for one in found["criteria"] if one["verdict"] != "pass"]
    assert told["name"] == "training.kl.max"
    assert told["reason"].endswith("was not measured")


def test_the_report_of_another_clone_never_promotes(prepared: Prepared) -> None:
    workshop = Workshop(prepared.data)
    republish(workshop, "candidate", lambda record: record.update(clone={**record["clone"], "digest": "0" * 64}))
    found = evaluated(prepared)
    assert found["verdict"] == "HOLD"
    (told,) = [one for one in found["criteria"] if one["verdict"] != "pass"]
    assert told["name"] == "evidence.training"
    assert "000000000000…" in told["reason"]


def test_an_empty_evaluation_is_refused_by_file_and_field(prepared: Prepared) -> None:
    workshop = Workshop(prepared.data)
    body = json.loads(stored_bytes(workshop.artifacts, workshop.latest("evaluation")["evaluation"]))
    name = workshop.artifacts.put_bytes(canonical_json({**body, "windows": []}), ".json") + ".json"
    republish(workshop, "evaluation", lambda record: record.update(evaluation=name))
    with pytest.raises(DataError, match=rf"^{name}: windows: Tuple should have at least 1 item.*; evaluate again$"):
        evaluated(prepared)


def retrained(house: Prepared) -> None:
    """Publish a candidate of the same recipe with another seed, so that it would replace the current release."""
    profile = load_training(house.configs / "training/quick.yaml").model_copy(update={"seed": 99})
    workshop, scenarios = house.line.workshop, training_scenarios(profile, house.configs)
    candidate = train_candidate(str(workshop.latest("dataset")["id"]), profile, workshop, scenarios)
    workshop.publish("candidate", candidate.record)


def test_a_candidate_over_a_release_lives_in_other_towns_than_that_release_was_chosen_in(prepared: Prepared) -> None:
    workshop, gates = prepared.line.workshop, load_gates(prepared.configs / "gates.yaml")
    first, chosen = read_candidate(workshop), read_evaluation(workshop)
    retrained(prepared)
    judged = evaluate_candidate(read_candidate(workshop), prepared.configs, gates, workshop)
    again = evaluate_candidate(read_candidate(workshop), prepared.configs, gates, workshop)
    assert (chosen.follows, judged.evaluation.follows) == ("first", first.digest)
    assert {run.seed for _, _, run in judged.evaluation.runs}.isdisjoint(run.seed for _, _, run in chosen.runs)
    assert again.reused
    assert again.evaluation == judged.evaluation


def test_a_retrained_candidate_is_held_to_the_log_in_the_release_and_to_nothing_less(prepared: Prepared) -> None:
    retrained(prepared)
    sound = {one["name"]: one["verdict"] for one in evaluated(prepared)["criteria"] if one["name"][:9] == "training."}
    assert sound == dict.fromkeys(
        (
            "training.candidate",
            "training.log",
            "training.kl.max",
            "training.entropy.min",
            "training.baseline",
            "training.baseline_log",
            "training.grad.band",
        ),
        "pass",
    )
    (log,) = (prepared.data / "releases").glob("*/content/telemetry/updates.parquet")
    whole = log.read_bytes()
    log.unlink()
    lost = next(one for one in evaluated(prepared)["criteria"] if one["name"] == "training.baseline")
    assert (lost["verdict"], lost["reason"]) == ("hold", "the log of the current release's training is missing")
    log.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"updates\.parquet: is not the log that the bundle's manifest names"):
        evaluated(prepared)
