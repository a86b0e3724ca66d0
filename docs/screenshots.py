"""Makes the pictures of the README: lives the four journeys in a fresh data folder, with a real `make ui` and Chromium.

    .venv/bin/python docs/screenshots.py --chromium /usr/bin/chromium

Nothing of the user's is touched: configuration and data are copies in a temporary folder. Takes about five minutes.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1360, "height": 800}
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 300
DAY = "2026-11-01"

SELECTOR = 'repositoryLocationName: "townlet", repositoryName: "__repository__"'
START = f"""
mutation {{ startSchedule(scheduleSelector: {{{SELECTOR}, scheduleName: "nightly_capture"}}) {{ __typename }} }}
"""
LAUNCH = f"""
mutation($day: String!) {{ launchRun(executionParams: {{
  selector: {{{SELECTOR}, pipelineName: "promotion"}},
  executionMetadata: {{tags: [{{key: "dagster/partition", value: $day}}]}}}}) {{
    __typename ... on LaunchRunSuccess {{ run {{ runId }} }} }} }}
"""
AGAIN = """
mutation($run: String!) { launchRunReexecution(reexecutionParams: {parentRunId: $run, strategy: FROM_FAILURE}) {
    __typename ... on LaunchRunSuccess { run { runId } } } }
"""
STATUS = "query($run: ID!) { runOrError(runId: $run) { ... on Run { status } } }"


class House(NamedTuple):
    """A line in folders of its own, and the port of its web interface."""

    root: Path
    port: int

    @property
    def url(self) -> str:
        """Where the web interface answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment that points every process at this house."""
        data = self.root / "data"
        return {
            "DAGSTER_HOME": str(data / "dagster"),
            "TOWNLET_DATA": str(data),
            "TOWNLET_CONFIGS": str(self.root / "configs"),
        }

    def ask(self, query: str, **variables: Any) -> Any:
        """Send one GraphQL request to the web interface and return its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]


@contextmanager
def furnished_house() -> Iterator[House]:
    """A temporary house with a copy of the configuration and the instance's settings."""
    with TemporaryDirectory(prefix="townlet-") as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        house = House(Path(folder), int(probe.getsockname()[1]))
        probe.close()
        shutil.copytree(ROOT / "configs", house.root / "configs")
        (house.root / "data" / "dagster").mkdir(parents=True)
        shutil.copy(ROOT / "data" / "dagster" / "dagster.yaml", house.root / "data" / "dagster")
        yield house


@contextmanager
def web_interface(house: House) -> Iterator[None]:
    """`make ui` over a house, gone at the end."""
    words = [f"{key}={value}" for key, value in house.variables.items()]
    process = subprocess.Popen(
        ["make", "ui", f"UI_PORT={house.port}", *words],
        cwd=ROOT,
        env={**os.environ, **house.variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(lambda: _answers(house), "the web interface to answer")
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def wait_for(check: Callable[[], object], what: str) -> None:
    """Wait until `check` gives something true; raise TimeoutError with `what` after a while."""
    end = time.monotonic() + PATIENCE
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {PATIENCE} s for {what}")
        time.sleep(1)


def failed_and_mended_promotion(house: House) -> str:
    """Take the gates away, let the promotion fail, put them back and re-execute from failure; returns the last run."""
    gates, aside = house.root / "configs" / "gates.yaml", house.root / "gates.yaml"
    gates.rename(aside)
    failed = finished(house, house.ask(LAUNCH, day=DAY)["launchRun"]["run"]["runId"])
    aside.rename(gates)
    return finished(house, house.ask(AGAIN, run=failed)["launchRunReexecution"]["run"]["runId"])


def finished(house: House, run: str) -> str:
    """Wait for a run's end and return its id."""
    ends = ("SUCCESS", "FAILURE")
    wait_for(lambda: house.ask(STATUS, run=run)["runOrError"].get("status") in ends, f"run {run} to end")
    return run


def take(page: Page, address: str, name: str) -> None:
    """Open an address, let it settle and keep a picture of it."""
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(6000)
    page.screenshot(path=str(IMAGES / f"{name}.png"))


def pictures(house: House, page: Page) -> None:
    """Live the four journeys and take a picture of each."""
    take(page, f"{house.url}/assets/release_bundle", "materialise")
    take(page, f"{house.url}/assets/release_bundle?view=lineage&lineageScope=upstream&lineageDepth=6", "lineage")
    house.ask(START)
    take(page, f"{house.url}/locations/townlet/schedules/nightly_capture", "schedule")
    take(page, f"{house.url}/runs/{failed_and_mended_promotion(house)}", "rerun")


def _answers(house: House) -> bool:
    try:
        return bool(house.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"))
    except OSError:
        return False


def main() -> None:
    """Build a release in a fresh house, open the web interface and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--chromium", default=shutil.which("chromium") or "/usr/bin/chromium")
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with furnished_house() as house:
        release = [str(Path(sys.executable).with_name("townlet")), "release", "build"]
        subprocess.run(release, cwd=ROOT, env={**os.environ, **house.variables}, check=True)
        with web_interface(house), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=options.chromium, args=list(QUIET))
            pictures(house, browser.new_page(viewport=SIZE))
            browser.close()


if __name__ == "__main__":
    main()
