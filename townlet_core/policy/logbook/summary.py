"""A log summed up: what each phase of the training began, ended and did best with, and how it compares with another."""

from collections.abc import Sequence
from itertools import groupby
from statistics import fmean
from typing import Any, NamedTuple

from townlet_core.config.watch import Watched
from townlet_core.policy.logbook.entries import Entry
from townlet_core.policy.logbook.figures import FIGURES

CLONE, CRITIC = "clone", "critic"
OPEN = "open"


class Figures(NamedTuple):
    """One figure over the records of a phase that have it: the first, last, best and mean value, and their number.

    `best` is None where neither more nor less is better.
    """

    first: float
    last: float
    best: float | None
    mean: float
    records: int


class Phase(NamedTuple):
    """A stretch of a training that did one thing.

    Attributes:
        name: `clone`, `critic` (the value head learns alone), or the mode: `rollout`, `replay`, `mixed`, or `anneal`
            with the share of citizens that the teacher drives.
        first: Number of its first update or epoch.
        last: And of its last.
        seconds: What it took, None in a table without times.
        agent_steps: Lived in it, None in a table without times and for a clone.
        figures: By short name, those that some record has.
    """

    name: str
    first: int
    last: int
    seconds: float | None
    agent_steps: int | None
    figures: dict[Watched, Figures]

    @property
    def steps_per_second(self) -> float | None:
        """Agent-steps for each second of the phase."""
        return self.agent_steps / self.seconds if self.agent_steps and self.seconds else None


class LogSummary(NamedTuple):
    """A whole log.

    Attributes:
        outcome: `finished`, `stopped`, or `open` where the log has no end.
        reason: What stopped it.
        records: Updates and epochs in it.
        of: How many were planned.
        wall_seconds: What the run that ended took by the clock, with checkpoints and validation; None without an end.
        not_finite: Columns that were no finite number in some record, each with the first place.
        phases: In order.
    """

    outcome: str
    reason: str | None
    records: int
    of: int
    wall_seconds: float | None
    not_finite: dict[str, str]
    phases: tuple[Phase, ...]

    @property
    def seconds(self) -> float | None:
        """What the updates of all phases took; None where one does not say."""
        found = [phase.seconds for phase in self.phases]
        return None if None in found else sum(second for second in found if second is not None)

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        phases = [
            {
                **phase._asdict(),
                "steps_per_second": phase.steps_per_second,
                "figures": {name: figures._asdict() for name, figures in phase.figures.items()},
            }
            for phase in self.phases
        ]
        return {**self._asdict(), "seconds": self.seconds, "phases": phases}


class Difference(NamedTuple):
    """A figure's mean over a phase beside that of the baseline's phase of the same name.

    `relative` is the difference as a share of the baseline's size, None where that is zero.
    """

    phase: str
    figure: Watched
    ours: float
    theirs: float
    difference: float
    relative: float | None


def summarise_log(entries: Sequence[Entry], last: int | None = None) -> LogSummary:
    """Sum up a log.

    Args:
        entries: As `read_entries` gives them; at least one update or epoch.
        last: Look at so many of the last updates or epochs alone.
    """
    records = [entry for entry in entries if entry.kind != "end"]
    kept = records[-last:] if last else records
    end = next((entry for entry in reversed(entries) if entry.kind == "end"), None)
    broken: dict[str, str] = {}
    for entry in kept:
        broken |= {column: entry.place for column in entry.broken if column not in broken}
    return LogSummary(
        outcome=str(end.row["outcome"]) if end is not None else OPEN,
        reason=end.row["reason"] if end is not None else None,
        records=len(kept),
        of=int(kept[-1].row["updates"]),
        wall_seconds=float(end.row["seconds"]) if end is not None else None,
        not_finite=broken,
        phases=tuple(_phase(name, list(group)) for name, group in groupby(kept, phase_of)),
    )


def phase_of(entry: Entry) -> str:
    """The phase that a record belongs to."""
    if entry.kind == "epoch":
        return CLONE
    if entry.row["critic_only"]:
        return CRITIC
    mode, share = str(entry.row["data_mode"]), entry.figure("teacher_share")
    return mode if share is None else f"{mode} at {share:.0%}"


def differences(ours: LogSummary, theirs: LogSummary) -> list[Difference]:
    """Compare the phases that both have, figure by figure."""
    baseline = {phase.name: phase for phase in theirs.phases}
    return [
        _difference(phase.name, name, figures.mean, baseline[phase.name].figures[name].mean)
        for phase in ours.phases
        if phase.name in baseline
        for name, figures in phase.figures.items()
        if name in baseline[phase.name].figures
    ]


def _difference(phase: str, name: Watched, ours: float, theirs: float) -> Difference:
    gap = ours - theirs
    return Difference(phase, name, ours, theirs, gap, gap / abs(theirs) if theirs else None)


def _phase(name: str, entries: list[Entry]) -> Phase:
    seconds = [entry.figure("seconds") for entry in entries]
    timed = [value for value in seconds if value is not None]
    lived = [speed * value for entry, value in zip(entries, timed, strict=False) if (speed := entry.figure("speed"))]
    return Phase(
        name=name,
        first=entries[0].epoch,
        last=entries[-1].epoch,
        seconds=sum(timed) if len(timed) == len(entries) else None,
        agent_steps=round(sum(lived)) if len(lived) == len(entries) else None,
        figures={figure: found for figure in FIGURES if (found := _figures(figure, entries)) is not None},
    )


def _figures(name: Watched, entries: Sequence[Entry]) -> Figures | None:
    values = [value for entry in entries if (value := entry.figure(name)) is not None]
    if not values:
        return None
    better = FIGURES[name].better
    best = None if better is None else (max if better == "more" else min)(values)
    return Figures(values[0], values[-1], best, fmean(values), len(values))
