"""A real Dagster on loopback, driven the way the web interface drives it: over GraphQL."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from tests.small_house import REPOSITORY

START_SECONDS = 180
RUN_SECONDS = 300
PAGE_SECONDS = 60
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}

LAUNCH = """
mutation($job: String!, $tags: [ExecutionTag!], $assets: [AssetKeyInput!], $checks: [AssetCheckHandleInput!]) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "townlet", repositoryName: "__repository__", pipelineName: $job,
               assetSelection: $assets, assetCheckSelection: $checks},
    executionMetadata: {tags: $tags}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }
"""

LOADED = """
{ repositoryOrError(repositorySelector: {repositoryLocationName: "townlet", repositoryName: "__repository__"}) {
  __typename ... on PythonError { message } } }
"""

REEXECUTE = """
mutation($run: String!, $strategy: ReexecutionStrategy!) {
  launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: $strategy}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""

RUN = """
query($run: ID!) { runOrError(runId: $run) { __typename ... on Run {
  runId status parentRunId rootRunId tags { key value }
  stepStats { stepKey status } } } }
"""

EVENTS = """
query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
  ... on ExecutionStepFailureEvent { stepKey error { message } failureMetadata { description } }
  ... on AssetCheckEvaluationEvent { evaluation { success checkName description } }
} } } }
"""


class Run(NamedTuple):
    """A finished run: its status and which of its steps ended how."""

    id: str
    status: str
    parent: str | None
    steps: dict[str, str]
    tags: dict[str, str]


class House(NamedTuple):
    """Townlet's line in folders of its own."""

    root: Path
    data: Path
    configs: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which every process of this house runs."""
        own = {"DAGSTER_HOME": self.home, "TOWNLET_DATA": self.data, "TOWNLET_CONFIGS": self.configs}
        return {**os.environ, **{key: str(value) for key, value in own.items()}, "DAGSTER_DISABLE_TELEMETRY": "1"}

    def townlet(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the `townlet` command in this house."""
        command = [sys.executable, "-m", "pipelines.cli", *words]
        return subprocess.run(
            command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=RUN_SECONDS
        )


class Dagster:
    """A running webserver and daemon, and the requests that the web interface would send."""

    def __init__(self, house: House, port: int) -> None:
        self.house = house
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: Any) -> Any:
        """Send one GraphQL request and return its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        assert "errors" not in document, document["errors"]
        return document["data"]

    def launch(self, job: str, partition: str | None = None, assets: list[str] | None = None) -> Run:
        """Launch a job, or some of its assets without their checks, and wait for its end."""
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        selection = [{"path": key.split("/")} for key in assets] if assets else None
        checks: list[Any] | None = [] if assets else None
        answer = self.ask(LAUNCH, job=job, tags=tags, assets=selection, checks=checks)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return self.wait(answer["run"]["runId"])

    def reexecute(self, run: Run, strategy: str = "FROM_FAILURE") -> Run:
        """Re-execute a run the way the button in the web interface does, and wait for its end."""
        answer = self.ask(REEXECUTE, run=run.id, strategy=strategy)["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return self.wait(answer["run"]["runId"])

    def wait(self, run_id: str) -> Run:
        """Wait for a run's end, at most RUN_SECONDS."""
        found = until(lambda: self._finished(run_id), RUN_SECONDS, f"run {run_id} to end")
        steps = {step["stepKey"]: step["status"] for step in found["stepStats"]}
        tags = {tag["key"]: tag["value"] for tag in found["tags"]}
        return Run(run_id, found["status"], found["parentRunId"], steps, tags)

    def opened(self, page: Page) -> Run:
        """Wait for the end of the run whose page a click has opened."""
        page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}"))
        return self.wait(page.url.split("/runs/")[1].split("?")[0])

    def failures(self, run: Run) -> str:
        """Everything that a run's failed steps said, as one text."""
        return json.dumps(self.ask(EVENTS, run=run.id))

    def _finished(self, run_id: str) -> Any:
        found = self.ask(RUN, run=run_id)["runOrError"]
        return found if found.get("status") in FINISHED else None


def until(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """Call `check` until it gives something; fail after `seconds`, saying what was waited for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.5)
    pytest.fail(f"waited {seconds:.0f} s for {what}")


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(house: House, name: str, module: list[str]) -> subprocess.Popen[bytes]:
    """Start a Python module in a process group of its own; what it prints goes to a log beside the data."""
    log = (house.root / f"{name}.log").open("wb")
    return subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=REPOSITORY,
        env=house.environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def answers(running: Dagster, process: subprocess.Popen[bytes]) -> bool:
    """Whether the webserver answers and has loaded the line; fails at once when it has died."""
    assert process.poll() is None, f"{process.args} ended with {process.returncode}"
    try:
        answer = running.ask(LOADED)["repositoryOrError"]
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    assert answer["__typename"] == "Repository", answer
    return True


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process group that this test started: politely, then for good."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
