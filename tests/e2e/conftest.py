"""A house of its own for every module of journeys, and a running Dagster in it."""

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.harness import (
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
