"""Journey four: the promotion breaks, somebody mends it and re-executes from failure; only what is left to do runs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

DAY = "2026-11-01"
JUDGING = {"evaluation", "gate_calibration"}
DECIDING = {"promotion_decision", "promotion_decision_verdict", "promotion_drill"}
BUNDLING = {"release_bundle", "release_bundle_verifies", "release_pointer"}


def outcomes(run, status: str) -> set[str]:
    return {step for step, found in run.steps.items() if found == status}


@contextmanager
def changed(path: Path, text: str | None) -> Iterator[None]:
    """The file with another content, or without the file for None; as it was at the end."""
    whole = path.read_text()
    try:
        path.unlink() if text is None else path.write_text(text)
        yield
    finally:
        path.write_text(whole)


@contextmanager
def tiny_disk(folder: Path) -> Iterator[None]:
    """A file system of 64 KiB in the place of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root may mount a tiny file system here")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this machine does not allow a mount: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def without_plan(dagster, house):
    """A release run that found no plan to judge by."""
    with changed(house.configs / "gates.yaml", None):
        return dagster.launch("release", partition=DAY)


@pytest.fixture(scope="module")
def mended(dagster, without_plan):
    """The same run, re-executed from failure after the plan was put back."""
    return dagster.reexecute(without_plan)


def test_without_its_plan_nothing_is_judged_and_the_missing_file_is_named(dagster, without_plan) -> None:
    assert without_plan.status == "FAILURE"
    assert outcomes(without_plan, "FAILURE") == JUDGING
    assert "gates.yaml" in dagster.failures(without_plan)


def test_without_its_plan_only_what_needs_none_ran(without_plan, house) -> None:
    assert not BUNDLING & outcomes(without_plan, "SUCCESS")
    assert {"policy_candidate", "telemetry_summary"} <= outcomes(without_plan, "SUCCESS")


def test_from_failure_only_the_failed_steps_and_those_after_them_run(mended, without_plan, house, dagster) -> None:
    assert mended.status == "SUCCESS", dagster.failures(mended)
    assert set(mended.steps) == outcomes(mended, "SUCCESS") == JUDGING | DECIDING | BUNDLING
    assert mended.parent == without_plan.id
    assert (house.data / "releases/current.json").is_file()


def test_clicked_in_the_browser_from_failure_runs_only_what_is_left(dagster, mended, house, page) -> None:
    with changed(house.configs / "gates.yaml", None):
        failed = dagster.launch("promotion")
    page.goto(f"/runs/{failed.id}")
    page.get_by_text(f"Errored ({len(JUDGING)})").wait_for()
    page.get_by_role("button", name="Re-execute all").locator("xpath=following::button[1]").click()
    page.get_by_role("menuitem", name="From failure").click()
    page.wait_for_url(lambda address: failed.id not in address)
    again = dagster.opened(page)
    assert again.status == "SUCCESS", dagster.failures(again)
    assert set(again.steps) == outcomes(again, "SUCCESS") == JUDGING | DECIDING | BUNDLING
    assert again.parent == failed.id


def test_a_full_disk_leaves_nothing_and_from_failure_only_the_bundle_is_made_again(dagster, mended, house) -> None:
    releases = house.data / "releases"
    before = sorted(releases.iterdir())
    with tiny_disk(releases):
        full = dagster.launch("promotion")
        left = list(releases.iterdir())
    assert full.status == "FAILURE"
    assert outcomes(full, "FAILURE") == {"release_bundle"}
    assert "the disk is full; no bundle was written and nothing was left behind" in dagster.failures(full)
    assert left == []
    again = dagster.reexecute(full)
    assert again.status == "SUCCESS", dagster.failures(again)
    assert set(again.steps) == BUNDLING
    assert sorted(releases.iterdir()) == before


def test_a_plan_that_the_candidate_fails_stops_the_run_and_every_later_one(dagster, mended, house) -> None:
    plan = house.configs / "gates.yaml"
    pointer = (house.data / "releases/current.json").read_text()
    strict = yaml.safe_load(plan.read_text())
    strict["cloning"]["min_accuracy"] = 1.0
    with changed(plan, yaml.safe_dump(strict)):
        judged = dagster.launch("promotion")
        bundle_alone = dagster.launch("promotion", assets=["release_bundle"])
        no_checks = dagster.launch("promotion", assets=["promotion_decision", "release_bundle", "release_pointer"])
    assert outcomes(judged, "FAILURE") == {"promotion_decision_verdict"}
    assert not BUNDLING & set(judged.steps) - outcomes(judged, "SKIPPED")
    for run in (bundle_alone, no_checks):
        assert outcomes(run, "FAILURE") == {"release_bundle"}
        assert "promotion: refused: FAIL: cloning.accuracy" in dagster.failures(run)
    assert (house.data / "releases/current.json").read_text() == pointer
    stale = dagster.reexecute(judged)
    assert set(stale.steps) - outcomes(stale, "SKIPPED") == {"promotion_decision_verdict"}
    assert stale.status == "FAILURE", "the plan changed after the decision, so the decision must be made again"
    decided_again = dagster.reexecute(judged, "FROM_ASSET_FAILURE")
    assert decided_again.status == "SUCCESS", dagster.failures(decided_again)
    assert set(decided_again.steps) == DECIDING | BUNDLING
