"""When jobs run by themselves: the nightly capture, off until somebody turns it on."""

import dagster as dg

from pipelines.jobs import nightly_capture_job

NIGHTLY_HOUR = 3

nightly_schedule = dg.build_schedule_from_partitioned_job(
    nightly_capture_job,
    name="nightly_capture",
    hour_of_day=NIGHTLY_HOUR,
    description="Every night at 03:00 UTC: capture and curate the day that has just ended, in every scenario.",
)

SCHEDULES = [nightly_schedule]
