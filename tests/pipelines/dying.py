"""Processes that die in the middle of a write, as a killed run does, and runs that are re-executed from failure."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from assets.line import Line
from pipelines.cli import whole_application
from pipelines.definitions import build_defs
from townlet_core.release import contents, drill, golden, pointing

SLOW_TO_IMPORT = (contents, drill, golden, pointing)
"""What a promotion needs; the server that processes are forked from has it already."""
PATIENCE = 240
REAL = os.replace


class Place(NamedTuple):
    """A write at which a process dies: the end of its target's path, just before or just after it takes effect."""

    target: str
    after: bool = False


class Folders(NamedTuple):
    """The folders of a house, and of its Dagster instance."""

    data: str
    configs: str
    home: str

    @property
    def line(self) -> Line:
        """The line over these folders."""
        return Line(data=self.data, configs=self.configs)

    def instance(self) -> dg.DagsterInstance:
        """The Dagster instance, as a context manager."""
        Path(self.home).mkdir(parents=True, exist_ok=True)
        return dg.DagsterInstance.from_config(self.home)


def die_at(place: Place) -> None:
    """Let this process kill itself at a write. Everything that must be whole is renamed into its place."""

    def replace(source: Any, target: Any, **options: Any) -> None:
        found = place.target in str(target)
        if found and not place.after:
            os.kill(os.getpid(), signal.SIGKILL)
        REAL(source, target, **options)
        if found:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace


def in_a_process(work: Callable[..., None], folders: Folders, place: Place | None, *arguments: Any) -> int:
    """Do something in a process of its own and return its exit code: 0, or minus the signal that killed it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_begin, args=(work, folders, place, *arguments))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode is not None, "the process hangs"
    return process.exitcode


def promotion_job() -> dg.JobDefinition:
    """The job `promotion` over the folders that the environment names."""
    return build_defs().resolve_job_def("promotion")


def run_promotion(folders: Folders, parent: str | None) -> None:
    """Run the job `promotion`, or re-execute a run of it from failure."""
    with folders.instance() as instance:
        again = dg.ReexecutionOptions.from_failure(parent, instance) if parent else None
        dg.execute_job(dg.reconstructable(promotion_job), instance, reexecution_options=again)


def run_command(folders: Folders, *words: str) -> None:
    """Run `townlet WORDS` over the folders that the environment names."""
    whole_application()([*words], standalone_mode=False)


def _begin(work: Callable[..., None], folders: Folders, place: Place | None, *arguments: Any) -> None:
    os.environ.update(TOWNLET_DATA=folders.data, TOWNLET_CONFIGS=folders.configs, DAGSTER_HOME=folders.home)
    if place is not None:
        die_at(place)
    work(folders, *arguments)
