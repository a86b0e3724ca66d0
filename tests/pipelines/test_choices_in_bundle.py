"""What everybody chose in the towns of the evaluation goes with a bundle, or is named in it where it is too much."""

import json
from collections import Counter
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipelines.conftest import Prepared
from townlet_core.release import contents
from townlet_core.release.workshop import stored_bytes


def test_a_bundle_has_a_row_for_every_decision_that_its_evaluation_counts(prepared: Prepared) -> None:
    (bundle,) = (path for path in (prepared.data / "releases").iterdir() if path.is_dir())
    evaluation = json.loads((bundle / "content/evaluation/evaluation.json").read_text())
    counted = {
        (window["number"], scenario, policy, action): sum(numbers)
        for window in evaluation["windows"]
        for scenario, run in window["scenarios"].items()
        for policy, outcome in run["policies"].items()
        for action, numbers in outcome["decisions"].items()
        if sum(numbers)
    }
    rows = pq.read_table(bundle / "content/evaluation/choices.parquet").to_pylist()
    assert Counter((row["window"], row["scenario"], row["policy"], row["action"]) for row in rows) == counted
    assert "one per choice in `choices.parquet`" in (bundle / "content/evaluation/report.md").read_text()


def test_choices_that_are_too_much_for_a_bundle_stay_behind_and_are_named(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MOST_CHOICES", 1)
    found = contents.gather_contents(Path(prepared.configs), prepared.line.workshop)
    name = prepared.line.workshop.latest("evaluation")["choices"]
    assert "evaluation/choices.parquet" not in found.parts
    assert f"`{name}` of the data folder".encode() in found.parts["evaluation/report.md"]
    assert found.nodes["evaluation"].facts["choices"] == name
    assert pq.ParquetFile(BytesIO(stored_bytes(prepared.line.workshop.artifacts, name))).metadata.num_rows > 0
