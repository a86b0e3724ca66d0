"""The graph that Dagster shows: its whole shape is pinned, and it loads quickly and without the learning library."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.line import Line
from pipelines.definitions import build_defs

REPOSITORY = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("graph.json")
STAGES = ["capture", "curation", "datasets", "training", "telemetry", "evaluation", "promotion", "release"]


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_defs(Line(data=str(tmp_path_factory.mktemp("data")), configs=str(REPOSITORY / "configs")))


def shape(definitions: dg.Definitions) -> dict[str, Any]:
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string(): node_shape(graph, key) for key in sorted(graph.get_all_asset_keys())}


def node_shape(graph: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = graph.get(key)
    checks = sorted(graph.get_check_keys_for_assets({key}), key=lambda check: check.name)
    return {
        "group": node.group_name,
        "inputs": sorted(parent.to_user_string() for parent in node.parent_keys),
        "kinds": sorted(node.kinds),
        "owners": sorted(node.owners),
        "partitions": node.partitions_def is not None,
        "checks": {check.name: "stops" if graph.get(check).blocking else "warns" for check in checks},
    }


def test_the_shape_of_the_graph_is_the_one_on_record(definitions: dg.Definitions) -> None:
    """A change of the graph must be meant: run with UPDATE_GOLDEN=1 and read the difference before committing it."""
    found = shape(definitions)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(GOLDEN.read_text())


def test_the_groups_follow_one_another_along_the_line(definitions: dg.Definitions) -> None:
    found = shape(definitions)
    order = {name: STAGES.index(node["group"]) for name, node in found.items()}
    assert set(order.values()) == set(range(len(STAGES)))
    assert all(order[name] <= order[target] for target, node in found.items() for name in node["inputs"])


def test_every_asset_says_what_it_is_and_has_a_version(definitions: dg.Definitions) -> None:
    for asset in definitions.assets or ():
        assert isinstance(asset, dg.AssetsDefinition)
        for spec in asset.specs:
            assert all((spec.description, spec.code_version, spec.owners, spec.kinds)), spec.key


def test_a_scenario_file_more_is_a_capture_and_a_curation_more(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    for name in ("fog", "fair"):
        (tmp_path / "scenarios" / f"{name}.yaml").write_text(f"scenario: {name}\ncapture: {{}}\n")
    (tmp_path / "scenarios" / "stress.yaml").write_text("scenario: stress\nexpectations: []\n")
    found = shape(build_defs(Line(data=str(tmp_path), configs=str(tmp_path))))
    assert {"capture/fog", "capture/fair", "curated/fog", "curated/fair"} < set(found)
    assert not {"capture/stress", "curated/stress"} & set(found)
    assert found["dataset_version"]["inputs"] == ["curated/fair", "curated/fog"]


def test_a_configuration_folder_without_scenarios_is_refused(tmp_path: Path) -> None:
    from townlet_core.errors import ConfigError

    with pytest.raises(ConfigError, match="no scenario"):
        build_defs(Line(data=str(tmp_path), configs=str(tmp_path)))


def test_every_job_runs_in_one_process_and_selects_what_it_says(definitions: dg.Definitions) -> None:
    selected = {
        name: {key.to_user_string() for key in definitions.resolve_job_def(name).asset_layer.executable_asset_keys}
        for name in ("release", "nightly_capture", "promotion", "compare_variants")
    }
    everything = set(shape(definitions))
    assert selected["compare_variants"] == {"variant_comparison"}
    assert selected["release"] == everything - {"variant_comparison"}
    assert {name.split("/")[0] for name in selected["nightly_capture"]} == {"capture", "curated"}
    judged = {"evaluation", "gate_calibration", "golden_rollouts", "promotion_decision", "promotion_drill"}
    assert selected["promotion"] == {*judged, "release_bundle", "release_pointer"}
    for name in selected:
        assert definitions.resolve_job_def(name).executor_def.name == "in_process"
    assert definitions.resolve_implicit_global_asset_job_def().executor_def.name == "in_process"


def test_the_nightly_schedule_asks_for_the_day_that_ended(definitions: dg.Definitions) -> None:
    from datetime import UTC, datetime

    schedule = definitions.resolve_schedule_def("nightly_capture")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=datetime(2026, 11, 10, 3, tzinfo=UTC))
        requests = schedule.evaluate_tick(context).run_requests
    assert schedule.cron_schedule == "0 3 * * *"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert [request.partition_key for request in requests or ()] == ["2026-11-09"]


def test_loading_the_definitions_loads_no_heavy_library() -> None:
    heavy = ("torch", "numba", "matplotlib")
    program = f"import sys, pipelines.definitions; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True
    )
    assert loaded.stdout.strip() == "[]"
