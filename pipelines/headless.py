"""A run of the release job without the web interface, in this process and on the same instance."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from assets.failures import EXIT_CODE
from assets.partitions import DAYS, FIRST_DAY
from townlet_core.errors import InputError

LOCATION = "townlet"
MODULE = "pipelines.definitions"
PARTITION_TAG = "dagster/partition"
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class StepEnd(NamedTuple):
    """One step that ended: its key, how long it took, and what went wrong, if anything did."""

    key: str
    seconds: float
    problem: str | None
    exit_code: int
    done: int
    total: int


class FinishedRun(NamedTuple):
    """A run that ended: whether everything succeeded, and the steps that did not."""

    run_id: str
    day: str
    success: bool
    failures: tuple[StepEnd, ...]


def require_day(day: str) -> str:
    """Check that a day can be captured.

    Raises:
        InputError: it is not a date, lies before the first day of the line, or is not over yet.
    """
    if day in DAYS.get_partition_keys():
        return day
    last = DAYS.get_last_partition_key()
    if last is None:
        today = datetime.now(UTC).date()
        raise InputError(f"this machine's clock says {today}, before the first day {FIRST_DAY}; set the clock")
    raise InputError(f"{day}: not a day of this line; give a date from {FIRST_DAY} to {last}, like {FIRST_DAY}")


def run_job(
    definitions: dg.Definitions, instance: dg.DagsterInstance, job_name: str, day: str, tell: Callable[[StepEnd], None]
) -> FinishedRun:
    """Run a job for one day and report every step as it ends.

    Args:
        definitions: the line, as `build_defs` makes it.
        instance: where the run and its events are recorded; the web interface shows them like any other run.
        job_name: `release`, `nightly_capture` or `promotion`.
        day: the partition.
        tell: called at the end of every step.

    Returns:
        How the run ended.
    """
    job = definitions.resolve_job_def(job_name)
    run = instance.create_run_for_job(
        job_def=job,
        run_config=SILENT,
        tags={**job.run_tags, PARTITION_TAG: day},
        remote_job_origin=_origin(job_name),
    )
    failures = []
    for step in _step_ends(job, run, instance):
        tell(step)
        if step.problem is not None:
            failures.append(step)
    finished = instance.get_run_by_id(run.run_id)
    return FinishedRun(run.run_id, day, finished is not None and finished.is_success, tuple(failures))


def _step_ends(job: dg.JobDefinition, run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[StepEnd]:
    total, done, started = len(job.nodes_in_topological_order), 0, {}
    for event in execute_run_iterator(InMemoryJob(job), run, instance):
        if event.event_type == dg.DagsterEventType.STEP_START:
            started[event.step_key] = datetime.now(UTC)
        elif event.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
            done += 1
            seconds = (datetime.now(UTC) - started[event.step_key]).total_seconds()
            yield StepEnd(_readable(event.step_key), seconds, *_problem(event), done, total)


def _readable(step_key: str | None) -> str:
    return (step_key or "").replace("__", "/")


def _problem(event: dg.DagsterEvent) -> tuple[str | None, int]:
    if not event.is_step_failure:
        return None, 0
    data = event.step_failure_data
    if data.user_failure_data is not None:
        code = data.user_failure_data.metadata.get(EXIT_CODE)
        return data.user_failure_data.description or "failed", int(code.value) if code is not None else 1
    error = data.error.cause or data.error if data.error is not None else None
    return (error.message.strip() if error is not None else "failed"), 1


def _origin(job_name: str) -> RemoteJobOrigin:
    """Where the web interface finds this job: with it, a run made here can be re-executed there."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=MODULE, working_directory=os.getcwd())
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)
