"""A release without the web interface: what it tells, how it ends, and what the web interface can do with it later."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from pipelines.headless import require_day
from pipelines.instance import open_instance
from pipelines.releasing import newest_day, require_configuration
from tests.pipelines.conftest import DAY, Prepared
from tests.small_house import REPOSITORY, SECRET, edit, small_configs
from townlet_core.config import captured_scenarios
from townlet_core.errors import ConfigError, InputError


def environment(house: Prepared) -> dict[str, str]:
    own = {"DAGSTER_HOME": house.data / "dagster", "TOWNLET_DATA": house.data, "TOWNLET_CONFIGS": house.configs}
    return {**os.environ, **{key: str(value) for key, value in own.items()}}


def townlet(house: Prepared, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *words]
    return subprocess.run(command, cwd=REPOSITORY, env=environment(house), capture_output=True, text=True, timeout=300)


def test_every_step_is_told_once_in_an_order_that_the_graph_allows(original: Prepared) -> None:
    told = [step.key for step in original.told]
    assert len(told) == len(set(told)) == 12 + 2 * len(captured_scenarios(original.configs))
    decided = ["promotion_decision", "promotion_decision_verdict", "promotion_drill"]
    assert told[-6:] == [*decided, "release_bundle", "release_bundle_verifies", "release_pointer"]
    assert original.run.exit_code == 0
    assert not any(step.reused for step in original.told)


def test_a_headless_run_is_recorded_like_any_other_and_can_be_reexecuted_from_the_web(original: Prepared) -> None:
    with dg.DagsterInstance.from_config(str(original.home)) as instance:
        run = instance.get_run_by_id(original.run.run_id)
    assert run is not None
    assert run.tags["dagster/partition"] == DAY
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.repository_origin.code_location_origin.location_name == "townlet"


@pytest.mark.parametrize("asset", ["evaluation", "golden_rollouts"])
def test_every_column_of_a_table_of_figures_is_explained_where_the_table_is_shown(
    original: Prepared, asset: str
) -> None:
    with dg.DagsterInstance.from_config(str(original.home)) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    schema = event.asset_materialization.metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert [column.name for column in schema.columns if not column.description] == []
    assert len(schema.columns) >= 5


def test_no_secret_of_the_configuration_is_in_anything_that_the_line_wrote(original: Prepared) -> None:
    assert SECRET in (original.configs / "console.yaml").read_text()
    written = [path for path in original.data.rglob("*") if path.is_file()]
    assert any(path.name == "card.md" or path.suffix == ".safetensors" for path in written)
    assert not [str(path) for path in written if SECRET.encode() in path.read_bytes()]


def test_a_second_release_keeps_everything(prepared: Prepared) -> None:
    again = townlet(prepared, "release", "build", "--json")
    assert again.returncode == 0, again.stderr
    outcome = json.loads(again.stdout)
    first = json.loads((prepared.data / "line/bundle.json").read_text())
    assert outcome["content_digest"] == first["content_digest"]
    anew = {step["key"] for step in outcome["steps"] if not step["reused"]}
    decided = {"promotion_decision", "promotion_decision_verdict", "promotion_drill"}
    assert anew == {"dataset_version", *decided, "release_bundle_verifies", "release_pointer"}


def test_the_next_release_is_measured_against_the_one_it_replaces_and_can_be_built_again(prepared: Prepared) -> None:
    first = json.loads((prepared.data / "releases/current.json").read_text())
    outcomes = [townlet(prepared, "release", "build", "--date", "2026-11-02", "--json") for _ in range(2)]
    assert [outcome.returncode for outcome in outcomes] == [0, 0], outcomes[0].stderr
    second, again = (json.loads(outcome.stdout) for outcome in outcomes)
    assert second["content_digest"] != first["content_digest"]
    assert again["content_digest"] == second["content_digest"]
    lineage = json.loads((Path(second["bundle"]) / "content/lineage.json").read_text())["nodes"]
    assert lineage["evaluation"]["facts"]["contenders"]["current"] == first["policy_digest"]
    assert sum(name.startswith("capture/") for name in lineage) == 2 * len(captured_scenarios(prepared.configs))
    history = [json.loads(line) for line in (prepared.data / "releases/history.jsonl").read_text().splitlines()]
    assert [entry["release"]["content_digest"] for entry in history] == [
        first["content_digest"],
        second["content_digest"],
    ]
    assert (prepared.data / first["bundle"] / "manifest.json").is_file()


def test_a_refused_release_says_why_and_ends_with_1(prepared: Prepared) -> None:
    edit(prepared.configs / "gates.yaml", first_release={"allow": False, "must_match": "teacher"})
    refused = townlet(prepared, "release", "build")
    assert refused.returncode == 1
    assert refused.stdout.startswith("HOLD: nothing was released")
    assert "first_release rule forbids one" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr


def test_an_interrupted_release_says_so_leaves_nothing_half_done_and_can_be_run_again(prepared: Prepared) -> None:
    shutil.rmtree(prepared.data / "datasets")
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "release", "build"],
        cwd=REPOSITORY,
        env=environment(prepared),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    assert "capture/" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted" in told
    assert not [path for path in prepared.data.rglob("*") if path.name.startswith((".tmp-", ".staging-"))]
    assert townlet(prepared, "release", "build").returncode == 0


def test_a_release_is_trained_by_the_profile_that_is_named_and_its_bundle_says_so(prepared: Prepared) -> None:
    quick = yaml.safe_load((prepared.configs / "training/quick.yaml").read_text())
    edit(prepared.configs / "training/full.yaml", **quick | {"profile": "full", "seed": 8})
    built = townlet(prepared, "release", "build", "--profile", "full", "--json")
    assert built.returncode == 0, built.stderr
    outcome = json.loads(built.stdout)
    assert outcome["profile"] == "full"
    content = Path(outcome["bundle"]) / "content"
    assert json.loads((content / "config/training.json").read_text())["profile"] == "full"
    assert json.loads((content / "lineage.json").read_text())["nodes"]["candidate"]["facts"]["profile"] == "full"
    assert "| training profile | full |" in (content / "README.md").read_text()


@pytest.mark.parametrize(
    ("file", "changes", "words", "told"),
    [
        ("curation", {"min_tikcs": 3}, (), "curation.yaml:"),
        ("training/full", {}, ("--profile", "ful"), "unknown training profile 'ful'; did you mean 'full'?"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_before_any_work_and_ends_with_2(
    prepared: Prepared, file: str, changes: dict[str, object], words: tuple[str, ...], told: str
) -> None:
    edit(prepared.configs / f"{file}.yaml", **changes)
    refused = townlet(prepared, "release", "build", *words)
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert told in line
    assert all(key in line for key in changes)
    assert not (prepared.data / "dagster/storage").exists()


@pytest.mark.parametrize(
    ("file", "changes", "told"),
    [
        ("watch", {"windwo": 3}, "watch.yaml:.*windwo"),
        ("training/full", {"patiense": 3}, "full.yaml:.*patiense"),
        ("training/full", {"profile": "fuller"}, "full.yaml:.*expected the file's own name 'full'"),
        ("training/full", {"ppo": {"scenarios": ["ordinary_dya"]}}, "did you mean 'ordinary_day'"),
    ],
)
def test_every_file_that_a_release_by_a_profile_needs_is_read_first(
    tmp_path: Path, file: str, changes: dict[str, object], told: str
) -> None:
    small_configs(tmp_path / "configs")
    require_configuration(tmp_path / "configs", "full")
    edit(tmp_path / "configs" / f"{file}.yaml", **changes)
    with pytest.raises(ConfigError, match=told):
        require_configuration(tmp_path / "configs", "full")


@pytest.mark.parametrize("day", ["2026-10-31", "2999-01-01", "yesterday"])
def test_a_day_outside_the_line_is_bad_input(day: str) -> None:
    with pytest.raises(InputError, match=f"{day}: not a day of this line; give a date from {DAY} to"):
        require_day(day)


def test_without_a_date_the_newest_captured_day_is_built_again(prepared: Prepared) -> None:
    assert newest_day(prepared.data) == DAY
    later = prepared.data / "datasets/captures/low_money/2026-11-05.json"
    later.write_text("{}")
    assert newest_day(prepared.data) == "2026-11-05"


def test_an_empty_house_begins_with_the_first_day(tmp_path) -> None:
    assert newest_day(tmp_path) == DAY


def test_the_instance_is_made_beside_the_data_and_sends_nothing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    with open_instance(tmp_path) as instance:
        assert instance.root_directory == str(tmp_path / "dagster")
        assert not instance.telemetry_enabled
    assert os.environ["DAGSTER_HOME"] == str(tmp_path / "dagster")


def test_the_tracked_settings_are_accepted_and_send_nothing(tmp_path) -> None:
    (tmp_path / "dagster.yaml").write_bytes((REPOSITORY / "data/dagster/dagster.yaml").read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1


def test_damaged_settings_are_one_line(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetri: {}\n")
    with pytest.raises(InputError, match="cannot be used as DAGSTER_HOME"):
        open_instance(tmp_path)


def test_a_verified_bundle_ends_with_0_and_a_touched_one_with_1_naming_the_file(prepared: Prepared) -> None:
    bundle = prepared.data / json.loads((prepared.data / "line/bundle.json").read_text())["bundle"]
    assert townlet(prepared, "release", "verify", str(bundle)).returncode == 0
    (bundle / "content/policy/note.txt").write_text("?")
    touched = townlet(prepared, "release", "verify", str(bundle), "--json")
    assert touched.returncode == 1
    assert [problem["path"] for problem in json.loads(touched.stdout)["problems"]] == ["content/policy/note.txt"]
    assert townlet(prepared, "release", "verify", str(prepared.data)).returncode == 2


def test_the_lineage_of_a_dataset_is_found_by_its_id(prepared: Prepared) -> None:
    version = json.loads((prepared.data / "line/dataset.json").read_text())["id"]
    audited = townlet(prepared, "audit", "lineage", version[:12], "--json")
    assert audited.returncode == 0, audited.stderr
    trace = json.loads(audited.stdout)
    assert trace["digest"] == version
    assert sum(name.startswith("capture/") for name in trace["nodes"]) == len(captured_scenarios(prepared.configs))


def test_a_digest_that_nothing_has_is_bad_input(prepared: Prepared) -> None:
    unknown = townlet(prepared, "audit", "lineage", "0123abcd")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("0123abcd: no such version; known are ")
    assert "and no bundle" in unknown.stderr


def test_an_audit_of_the_datasets_names_a_shard_that_was_lost(prepared: Prepared) -> None:
    assert townlet(prepared, "audit", "datasets").returncode == 0
    record = json.loads((prepared.data / f"datasets/captures/low_money/{DAY}.json").read_text())
    (prepared.data / "datasets/objects" / record["steps"]).unlink()
    audited = townlet(prepared, "audit", "datasets")
    assert audited.returncode == 1
    assert record["steps"] in audited.stdout
