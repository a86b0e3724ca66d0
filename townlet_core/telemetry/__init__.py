"""What a run tells: named events, figures with their intervals, and the summary that a person reads."""

from townlet_core.telemetry.days import DayProfile, day_profile
from townlet_core.telemetry.events import NamedEvent, count_events, event_table, named_events
from townlet_core.telemetry.intervals import Interval, mean_interval, paired_interval
from townlet_core.telemetry.kpis import KpiRow
from townlet_core.telemetry.summary import Summary, markdown_with_images, summarise

__all__ = [
    "DayProfile",
    "Interval",
    "KpiRow",
    "NamedEvent",
    "Summary",
    "count_events",
    "day_profile",
    "event_table",
    "markdown_with_images",
    "mean_interval",
    "named_events",
    "paired_interval",
    "summarise",
]
