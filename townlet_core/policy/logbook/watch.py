"""Watching a training: every entry is held to the rules, and each bound that is broken is an alarm."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from townlet_core.config.watch import Watched, WatchRules
from townlet_core.policy.logbook.entries import Entry
from townlet_core.policy.logbook.figures import column_of


class Alarm(NamedTuple):
    """A rule that an entry broke.

    Attributes:
        epoch: Number of the update or epoch.
        rule: `max`, `min`, `drop`, `not_finite`, `stopped` or `silent`.
        figure: Name of the figure or column; None where it is about the training as a whole.
        value: What was found, None where it is no number.
        bound: What it is held to; for `drop` the lowest value that would have done.
        told: The alarm in words.
    """

    epoch: int
    rule: str
    figure: str | None
    value: float | None
    bound: float | None
    told: str


class Watch:
    """Holds the entries of a log to the rules, in order."""

    def __init__(self, rules: WatchRules) -> None:
        """Begin with no history."""
        self._rules = rules
        self._past: dict[str, deque[float]] = {name: deque(maxlen=rules.window) for name in rules.drop}

    def judge(self, entry: Entry) -> list[Alarm]:
        """The alarms of one entry; an end is one only when the training did not finish."""
        if entry.kind == "end":
            return _ended(entry)
        broken = [_not_finite(entry, column) for column in entry.broken]
        settled = entry.epoch > self._rules.grace
        above = list(self._above(entry))
        below = list(self._below(entry)) if settled else []
        return [*broken, *above, *below, *self._fallen(entry, settled=settled)]

    def _above(self, entry: Entry) -> Iterator[Alarm]:
        for name, bound in self._rules.max.items():
            value = entry.figure(name)
            if value is not None and value > bound:
                yield _alarm(entry, "max", name, value, bound, f"is {value:.4g}, above {bound:.4g}")

    def _below(self, entry: Entry) -> Iterator[Alarm]:
        for name, bound in self._rules.min.items():
            value = entry.figure(name)
            if value is not None and value < bound:
                yield _alarm(entry, "min", name, value, bound, f"is {value:.4g}, below {bound:.4g}")

    def _fallen(self, entry: Entry, *, settled: bool) -> Iterator[Alarm]:
        for name, share in self._rules.drop.items():
            value, past = entry.figure(name), self._past[name]
            if value is None:
                continue
            mean = sum(past) / len(past) if past else value
            bound = mean - share * abs(mean)
            if settled and value < bound:
                told = f"is {value:.4g}, more than {share:.0%} below the {mean:.4g} of the last {len(past)}"
                yield _alarm(entry, "drop", name, value, bound, told)
            past.append(value)


def silent(epoch: int, seconds: float) -> Alarm:
    """The alarm for a training that gave no record for so long."""
    return Alarm(epoch, "silent", None, None, seconds, f"nothing was logged for {seconds:g} seconds, and no end")


def _ended(entry: Entry) -> list[Alarm]:
    if entry.row["outcome"] == "finished":
        return []
    return [Alarm(entry.epoch, "stopped", None, None, None, f"the training was stopped: {entry.row['reason']}")]


def _not_finite(entry: Entry, column: str) -> Alarm:
    told = f"{entry.kind} {entry.epoch}: {column} is {entry.row[column]}, not a finite number"
    return Alarm(entry.epoch, "not_finite", column, None, None, told)


def _alarm(entry: Entry, rule: str, name: Watched, value: float, bound: float, told: str) -> Alarm:
    column = column_of(name, entry.kind)
    words = name if name == column else f"{name} ({column})"
    return Alarm(entry.epoch, rule, name, value, bound, f"{entry.kind} {entry.epoch}: {words} {told}")
