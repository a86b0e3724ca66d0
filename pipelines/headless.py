"""A run of the release job without the web interface, in this process and on the same instance."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
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
INTERRUPTED = 130
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class StepEnd(NamedTuple):
    """One step that ended.

    Attributes:
        key: the asset or check, for example `capture/ordinary_day`.
        seconds: how long it took.
        reused: whether it found what it had made before instead of making it.
        problems: what went wrong, one line each; empty for a step that succeeded.
        exit_code: what a command line should end with because of it; 0 for a step that succeeded.
    """

    key: str
    seconds: float
    reused: bool
    problems: tuple[str, ...]
    exit_code: int


class Watch(NamedTuple):
    """Who is told what happens in a run: `begins` gets the number of steps, `starts` a step's key, `ends` its end."""

    begins: Callable[[int], None]
    starts: Callable[[str], None]
    ends: Callable[[StepEnd], None]


class FinishedRun(NamedTuple):
    """A run that ended: whether everything succeeded, and how each of its steps ended."""

    run_id: str
    day: str
    success: bool
    steps: tuple[StepEnd, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that went wrong, in order."""
        return tuple(problem for step in self.steps for problem in step.problems)

    @property
    def exit_code(self) -> int:
        """0 if everything succeeded, else the worst of the steps' codes, at least 1."""
        return 0 if self.success else max((step.exit_code for step in self.steps), default=1) or 1


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
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    job_name: str,
    day: str,
    watch: Watch,
    settings: Mapping[str, Mapping[str, object]] | None = None,
) -> FinishedRun:
    """Run a job for one day in this process.

    Args:
        definitions: the line, as `build_defs` makes it.
        instance: where the run and its events are recorded; the web interface shows them like any other run.
        job_name: `release` or `nightly_capture`.
        day: the partition.
        watch: told when the run begins and when steps start and end.
        settings: of single assets, by the names of their steps, as the launchpad of the web interface takes them; an
            asset that is not named has its defaults.

    Returns:
        How the run ended.
    """
    job = definitions.resolve_job_def(job_name)
    tags = {**job.run_tags, PARTITION_TAG: day}
    config = {**SILENT, "ops": {name: {"config": dict(values)} for name, values in (settings or {}).items()}}
    run = instance.create_run_for_job(job, run_config=config, tags=tags, remote_job_origin=_origin(job_name))
    watch.begins(len(job.nodes_in_topological_order))
    steps = []
    for step in _steps(execute_run_iterator(InMemoryJob(job), run, instance), watch):
        watch.ends(step)
        steps.append(step)
    finished = instance.get_run_by_id(run.run_id)
    return FinishedRun(run.run_id, day, finished is not None and finished.is_success, tuple(steps))


def _steps(events: Iterator[dg.DagsterEvent], watch: Watch) -> Iterator[StepEnd]:
    """Group a run's events by step; in this executor one step runs at a time."""
    seen: list[dg.DagsterEvent] = []
    started = time.monotonic()
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_START:
            seen, started = [], time.monotonic()
            watch.starts(_readable(event))
        elif event.event_type in (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE):
            yield _step_end(event, seen, time.monotonic() - started)
        else:
            seen.append(event)


def _step_end(end: dg.DagsterEvent, seen: list[dg.DagsterEvent], seconds: float) -> StepEnd:
    reused = any(_reused(event) for event in seen)
    if not end.is_step_failure:
        return StepEnd(_readable(end), seconds, reused, (), 0)
    refused = tuple(problem for event in seen if (problem := _refusal(event)) is not None)
    problem, exit_code = _failure(end)
    return StepEnd(_readable(end), seconds, reused, refused or (problem,), exit_code)


def _readable(event: dg.DagsterEvent) -> str:
    return (event.step_key or "").replace("__", "/")


def _reused(event: dg.DagsterEvent) -> bool:
    if event.event_type is not dg.DagsterEventType.ASSET_MATERIALIZATION:
        return False
    found = event.step_materialization_data.materialization.metadata.get("reused")
    return found is not None and bool(found.value)


def _refusal(event: dg.DagsterEvent) -> str | None:
    """What a blocking check that did not pass has to say, as one line."""
    if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    check = event.asset_check_evaluation_data
    if check.passed or check.severity is not dg.AssetCheckSeverity.ERROR:
        return None
    figures = ", ".join(f"{name} {value.value}" for name, value in check.metadata.items())
    return f"{check.asset_key.to_user_string()}: {check.check_name}: {check.description or figures or 'did not pass'}"


def _failure(event: dg.DagsterEvent) -> tuple[str, int]:
    data = event.step_failure_data
    if data.user_failure_data is not None:
        code = data.user_failure_data.metadata.get(EXIT_CODE)
        return data.user_failure_data.description or "failed", int(code.value) if code is not None else 1
    error = data.error.cause or data.error if data.error is not None else None
    if error is not None and error.cls_name == "DagsterExecutionInterruptedError":
        return "interrupted; nothing of this step was kept, run it again", INTERRUPTED
    return (error.message.strip() if error is not None else "failed"), 1


def _origin(job_name: str) -> RemoteJobOrigin:
    """Where the web interface finds this job: with it, a run made here can be re-executed there."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=MODULE, working_directory=os.getcwd())
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)
