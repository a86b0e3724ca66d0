"""A house of its own for every module of journeys, and a running Dagster in it."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.harness import (
    PAGE_SECONDS,
    START_SECONDS,
    Dagster,
    House,
    answers,
    free_port,
    start,
    stop,
    until,
)
from tests.small_house import REPOSITORY, small_configs


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Empty folders and a small configuration."""
    root = tmp_path_factory.mktemp("house")
    house = House(root, root / "data", root / "configs", root / "data/dagster")
    small_configs(house.configs)
    house.home.mkdir(parents=True)
    shutil.copy(REPOSITORY / "data/dagster/dagster.yaml", house.home)
    return house


@pytest.fixture(scope="module")
def webserver(house: House) -> Iterator[Dagster]:
    """The webserver over one house; nothing runs or ticks without the daemon."""
    port = free_port()
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml"]
    process = start(house, "web", web)
    running = Dagster(house, port)
    try:
        until(lambda: answers(running, process), START_SECONDS, "the webserver to answer")
        yield running
    finally:
        stop(process)


@pytest.fixture(scope="module")
def daemon(house: House) -> Iterator[None]:
    """The daemon, which launches queued runs and lets schedules tick."""
    process = start(house, "daemon", ["dagster._daemon", "run", "-w", "workspace.yaml"])
    try:
        yield
    finally:
        stop(process)


@pytest.fixture(scope="module")
def dagster(webserver: Dagster, daemon: None) -> Dagster:
    """The webserver and the daemon over one house."""
    return webserver


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window; what needs it is skipped where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine: apt-get install chromium, as .ci/run does")
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, webserver: Dagster) -> Iterator[Page]:
    """An empty page whose addresses are those of the web interface."""
    opened = browser.new_page(base_url=webserver.address, viewport={"width": 1500, "height": 1000})
    opened.set_default_timeout(1000 * PAGE_SECONDS)
    yield opened
    opened.close()
