"""What a run tells: named events, figures with their intervals, and the summary that a person reads."""

from townlet_core.telemetry.intervals import Interval, mean_interval, paired_interval

__all__ = ["Interval", "mean_interval", "paired_interval"]
