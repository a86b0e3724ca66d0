"""The summary of a log for people: tables, as rows and as markdown."""

from collections.abc import Sequence

from townlet_core.policy.logbook.summary import Difference, LogSummary, Phase
from townlet_core.telemetry.tables import share, table, text

COLUMNS = ("figure", "first", "last", "best", "mean", "records")
COMPARED = ("phase", "figure", "mean", "baseline", "difference", "relative")

Row = tuple[str, ...]


def phase_title(phase: Phase) -> str:
    """A phase in one line: what it did, for how long, and how fast."""
    span = f"{phase.name}, {phase.first} to {phase.last}"
    took = "" if phase.seconds is None else f": {phase.seconds:,.1f} s"
    speed = "" if phase.steps_per_second is None else f", {phase.steps_per_second:,.0f} agent-steps/s"
    return f"{span}{took}{speed}"


def phase_rows(phase: Phase) -> list[Row]:
    """The figures of a phase as rows below `COLUMNS`."""
    return [(name, *(text(value) for value in figures)) for name, figures in phase.figures.items()]


def difference_rows(found: Sequence[Difference]) -> list[Row]:
    """The comparison as rows below `COMPARED`."""
    return [
        (one.phase, one.figure, *(text(value) for value in (one.ours, one.theirs, one.difference)), share(one.relative))
        for one in found
    ]


def facts(summary: LogSummary) -> dict[str, str]:
    """What is said of the log as a whole."""
    ended = summary.outcome + (f": {summary.reason}" if summary.reason else "")
    times = {"time in updates": summary.seconds, "wall time of the last run": summary.wall_seconds}
    spent = {name: f"{seconds:,.1f} s" for name, seconds in times.items() if seconds is not None}
    sour = {f"not finite: {column}": f"first in {place}" for column, place in summary.not_finite.items()}
    return {"records": f"{summary.records} of {summary.of}", "outcome": ended, **spent, **sour}


def markdown_page(
    title: str,
    summary: LogSummary,
    compared: Sequence[Difference] | None = None,
    plot: str | None = None,
    level: int = 1,
) -> str:
    """The summary as a page of markdown, or as a part of one.

    Args:
        title: The heading.
        summary: Of the log.
        compared: With a baseline, if there is one.
        plot: Path of the picture, if there is one.
        level: Of the heading; those of the phases are one below it.
    """
    marks = "#" * level
    parts = [f"{marks} {title}\n", table(("fact", "value"), facts(summary).items())]
    parts += [f"![The training by update]({plot})\n"] if plot else []
    for phase in summary.phases:
        parts += [f"{marks}# {phase_title(phase)}\n", table(COLUMNS, _values(phase))]
    if compared is not None:
        parts += [f"{marks}# Beside the baseline\n", table(COMPARED, difference_rows(compared))]
    return "\n".join(parts)


def _values(phase: Phase) -> list[tuple[str | float | int | None, ...]]:
    return [(name, *figures) for name, figures in phase.figures.items()]
