"""Journey two: turn on the nightly capture, and see its tick ask for the day that ended and capture it."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.harness import until
from tests.small_house import REPOSITORY
from townlet_core.config.loading import captured_scenarios

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SELECTOR = {"repositoryLocationName": "townlet", "repositoryName": "__repository__", "scheduleName": "nightly_capture"}
STATE = """
query($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) { ... on Schedule {
  name cronSchedule defaultStatus scheduleState { id status
    ticks(limit: 5) { timestamp status runIds error { message } } } } } }
"""
START = """
mutation($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) {
  __typename ... on ScheduleStateResult { scheduleState { status } } ... on PythonError { message } } }
"""
DRY_RUN = """
mutation($selector: ScheduleSelector!, $at: Float) { scheduleDryRun(selectorData: $selector, timestamp: $at) {
  __typename ... on DryRunInstigationTick { evaluationResult { runRequests { tags { key value } } error { message } } }
  ... on PythonError { message } } }
"""
TICK_SECONDS = 240

BACKDATE = """
import sys
from dagster import DagsterInstance
with DagsterInstance.get() as instance:
    (state,) = [found for found in instance.all_instigator_state() if found.name == "nightly_capture"]
    data = state.instigator_data
    instance.update_instigator_state(state.with_data(type(data)(data.cron_schedule, float(sys.argv[1]))))
"""


def schedule(dagster):
    return dagster.ask(STATE, selector=SELECTOR)["scheduleOrError"]


def last_three_o_clock() -> datetime:
    now = datetime.now(UTC)
    today = now.replace(hour=3, minute=0, second=0, microsecond=0)
    return today if today < now else today - timedelta(days=1)


def test_the_schedule_is_off_until_somebody_turns_it_on(webserver) -> None:
    found = schedule(webserver)
    assert found["cronSchedule"] == "0 3 * * *"
    assert found["scheduleState"]["status"] == "STOPPED"


def test_a_dry_run_of_a_tick_asks_for_the_day_before(webserver) -> None:
    at = datetime(2026, 11, 10, 3, tzinfo=UTC).timestamp()
    tick = webserver.ask(DRY_RUN, selector=SELECTOR, at=at)["scheduleDryRun"]
    assert tick["__typename"] == "DryRunInstigationTick", tick
    (request,) = tick["evaluationResult"]["runRequests"]
    assert {"key": "dagster/partition", "value": "2026-11-09"} in request["tags"]


def test_turned_on_it_ticks_and_captures_the_day_that_ended(webserver, house, request) -> None:
    """It is turned on as of before the last night, so that the daemon has a tick to catch up when it starts."""
    assert webserver.ask(START, selector=SELECTOR)["startSchedule"]["scheduleState"]["status"] == "RUNNING"
    tick_at = last_three_o_clock()
    since = (tick_at - timedelta(minutes=5)).timestamp()
    subprocess.run(
        [sys.executable, "-c", BACKDATE, str(since)], cwd=REPOSITORY, env=house.environment, check=True, timeout=60
    )

    request.getfixturevalue("daemon")

    def ticked():
        return [tick for tick in schedule(webserver)["scheduleState"]["ticks"] if tick["runIds"]]

    (tick,) = until(ticked, TICK_SECONDS, "the daemon to run the tick")
    assert tick["timestamp"] == tick_at.timestamp()
    (run_id,) = tick["runIds"]
    run = webserver.wait(run_id)
    day = (tick_at - timedelta(days=1)).date().isoformat()
    assert run.status == "SUCCESS", webserver.failures(run)
    assert run.tags["dagster/partition"] == day
    assert {step.split("__")[0] for step in run.steps} == {"capture", "curated"}
    for name in captured_scenarios(house.configs):
        captured = json.loads((house.data / f"datasets/captures/{name}/{day}.json").read_text())
        assert captured["rows"] > 0
        assert (house.data / "datasets/objects" / captured["steps"]).is_file()
