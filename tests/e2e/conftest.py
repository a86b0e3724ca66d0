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
def dagster(house: House) -> Iterator[Dagster]:
    """The webserver and the daemon over one house, both gone at the end."""
    port = free_port()
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml"]
    processes = [start(house, "web", web), start(house, "daemon", ["dagster._daemon", "run", "-w", "workspace.yaml"])]
    running = Dagster(house, port)
    try:
        until(lambda: answers(running, processes), START_SECONDS, "the webserver to answer")
        yield running
    finally:
        for process in processes:
            stop(process)
