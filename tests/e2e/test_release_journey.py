"""Journeys one and three: materialise a bundle in the web interface, and follow its lineage to every capture."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from townlet_core.release.manifest import read_manifest

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DAY = "2026-11-01"
SCENARIOS = ["dear_day", "late_morning", "low_money", "one_shower", "ordinary_day", "stove_outage"]
MATERIALISED = """
query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations(limit: 1) { runId tags { key value }
    metadataEntries { label ... on PathMetadataEntry { path } ... on MarkdownMetadataEntry { mdStr } } } } } }
"""
INPUTS = """
{ assetNodes { assetKey { path } dependencyKeys { path } groupName hasAssetChecks } }
"""


@pytest.fixture(scope="module")
def released(dagster, house):
    """One release run, launched as the button in the web interface launches it."""
    run = dagster.launch("release", partition=DAY)
    assert run.status == "SUCCESS", dagster.failures(run)
    return run


@pytest.fixture(scope="module")
def bundle(released, house) -> Path:
    return house.data / json.loads((house.data / "line/bundle.json").read_text())["bundle"]


def latest(dagster, *path: str):
    return dagster.ask(MATERIALISED, key={"path": list(path)})["assetOrError"]["assetMaterializations"][0]


def test_a_release_run_ends_with_a_bundle_that_verifies(released, bundle, house) -> None:
    assert set(released.steps.values()) == {"SUCCESS"}
    verified = house.townlet("release", "verify", str(bundle))
    assert verified.returncode == 0, verified.stderr
    assert "verified" in verified.stdout


def test_the_web_interface_shows_the_card_and_the_plots(dagster, released, bundle) -> None:
    entries = {entry["label"]: entry for entry in latest(dagster, "release_bundle")["metadataEntries"]}
    assert entries["card"]["mdStr"] == (bundle / "content/README.md").read_text()
    assert entries["bundle"]["path"] == str(bundle)
    summary = {entry["label"]: entry for entry in latest(dagster, "telemetry_summary")["metadataEntries"]}
    assert "data:image/png;base64," in summary["summary"]["mdStr"]


def test_clicked_in_the_browser_a_release_is_materialised_and_its_page_shows_the_bundle(
    dagster, released, bundle, page
) -> None:
    page.goto("/locations/townlet/jobs/release")
    page.get_by_role("button", name="Materialize all").click()
    day = page.get_by_role("dialog").get_by_role("textbox")
    day.fill(DAY)
    day.press("Enter")
    page.get_by_role("button", name="Launch 1 run").click()
    page.locator(f"a[href^='/runs/']:not([href*='{released.id}'])").first.click()
    run = dagster.opened(page)
    assert run.status == "SUCCESS", dagster.failures(run)
    assert set(run.steps) == set(released.steps)
    page.goto("/assets/release_bundle")
    page.get_by_text(read_manifest(bundle).content_digest).first.wait_for()
    page.goto("/assets/promotion_decision?view=checks")
    page.get_by_text("Succeeded").first.wait_for()
    assert "verdict" in page.locator("body").inner_text()


def test_the_data_version_in_the_web_interface_is_the_content_digest(dagster, released, bundle) -> None:
    tags = {tag["key"]: tag["value"] for tag in latest(dagster, "release_bundle")["tags"]}
    assert tags["dagster/data_version"] == read_manifest(bundle).content_digest


def test_the_release_pointer_points_at_the_bundle(released, bundle, house) -> None:
    current = json.loads((house.data / "releases/current.json").read_text())
    assert house.data / current["bundle"] == bundle
    assert len((house.data / "releases/history.jsonl").read_text().splitlines()) == 1


def test_nothing_passed_between_stages_by_pickle(released, house) -> None:
    stored = [path for path in (house.home / "storage").rglob("*") if path.is_file()]
    assert stored, "the run's logs should be here, or this test looks in the wrong place"
    assert not [path for path in stored if path.suffix in (".pickle", ".pkl") or path.read_bytes()[:1] == b"\x80"]


def test_the_lineage_leads_from_the_digest_to_every_capture(dagster, released, bundle, house) -> None:
    digest = read_manifest(bundle).content_digest
    audited = house.townlet("audit", "lineage", digest[:10], "--json")
    assert audited.returncode == 0, audited.stderr
    trace = json.loads(audited.stdout)
    assert trace["digest"] == digest
    reached, waiting = set(), list(trace["top"])
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += trace["nodes"][name]["inputs"]
    captures = {f"capture/{scenario}/{DAY}" for scenario in SCENARIOS}
    assert captures < reached
    for name in captures:
        node = trace["nodes"][name]
        assert node["state"] == "verified"
        assert node["run"]["run_id"] == released.id
        assert node["facts"]["seed"] > 0
        assert all((house.data / "datasets/objects" / shard).is_file() for shard in node["objects"])


def test_the_asset_graph_leads_from_the_bundle_to_every_capture(dagster) -> None:
    nodes = {"/".join(node["assetKey"]["path"]): node for node in dagster.ask(INPUTS)["assetNodes"]}
    reached, waiting = set(), ["release_bundle"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += ["/".join(key["path"]) for key in nodes[name]["dependencyKeys"]]
    assert {f"capture/{scenario}" for scenario in SCENARIOS} < reached


def test_a_second_release_changes_nothing_and_gives_the_same_digest(released, bundle, house) -> None:
    before = {path: path.stat().st_mtime_ns for path in bundle.rglob("*") if path.is_file()}
    again = house.townlet("release", "build", "--json")
    assert again.returncode == 0, again.stderr
    outcome = json.loads(again.stdout)
    assert outcome["content_digest"] == read_manifest(bundle).content_digest
    assert Path(outcome["bundle"]) == bundle
    assert {path: path.stat().st_mtime_ns for path in bundle.rglob("*") if path.is_file()} == before
    assert len((house.data / "releases/history.jsonl").read_text().splitlines()) == 1
    kept = {step["key"] for step in outcome["steps"] if step["reused"]}
    assert {"policy_candidate", "evaluation", *(f"capture/{scenario}" for scenario in SCENARIOS)} < kept


def test_a_bundle_says_for_itself_how_it_is_used(bundle, tmp_path) -> None:
    """The example on the card runs as it stands, from a copy of the folder."""
    shutil.copytree(bundle, tmp_path / "copy")
    card = (bundle / "content/README.md").read_text()
    program = card.split("```python\n")[1].split("```")[0]
    lived = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "copy", capture_output=True, text=True, timeout=300
    )
    assert lived.returncode == 0, lived.stderr
    assert lived.stdout.startswith("[")


def test_a_damaged_shard_shows_in_the_lineage(bundle, house) -> None:
    lineage = json.loads((bundle / "content/lineage.json").read_text())
    shard = house.data / "datasets/objects" / lineage["nodes"][f"capture/low_money/{DAY}"]["objects"][0]
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        damaged = house.townlet("audit", "lineage", str(bundle), "--json")
        shard.unlink()
        lost = house.townlet("audit", "lineage", str(bundle), "--json")
    finally:
        shard.write_bytes(whole)
    node = f"capture/low_money/{DAY}"
    assert (damaged.returncode, lost.returncode) == (1, 1)
    assert json.loads(damaged.stdout)["nodes"][node]["state"] == "changed"
    assert json.loads(lost.stdout)["nodes"][node]["state"] == "missing"


def test_a_release_asked_for_with_a_broken_plan_does_no_work(released, house) -> None:
    plan = house.configs / "gates.yaml"
    whole = plan.read_text()
    runs = len(list((house.home / "storage").iterdir()))
    try:
        plan.write_text(yaml.safe_dump({**yaml.safe_load(whole), "comparisn": {}}))
        refused = house.townlet("release", "build")
    finally:
        plan.write_text(whole)
    assert refused.returncode == 2
    assert "comparisn" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert len(list((house.home / "storage").iterdir())) == runs
