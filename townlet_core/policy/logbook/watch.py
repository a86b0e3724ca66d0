"""Watching a training: every entry is held to the rules, and each bound that is broken is an alarm."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from statistics import fmean, pstdev
from typing import NamedTuple

from townlet_core.config.watch import AnnealBounds, Watched, WatchRules
from townlet_core.policy.logbook.entries import Entry
from townlet_core.policy.logbook.figures import column_of

KPIS = "annealing.kpis."
"""Before the columns of the key figures that a cycle of annealing is judged by."""
DRIFT = "annealing.drift."
"""Before the columns of what a cycle measured beside the first one."""
DRIFTING = ("loss", "queue_events", "queue_intensity")

FEWEST, DEVIATIONS = 3, 3.0
"""A fall is one from at least so many values, and by more than so many of their deviations: a figure that is close to
zero, or moves about, may lie far below its mean without falling."""


class Alarm(NamedTuple):
    """A rule that an entry broke.

    Attributes:
        epoch: Number of the update or epoch.
        rule: `max`, `min`, `drop`, `not_finite`, `frozen`, `clone`, `drift`, `stopped` or `silent`.
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
        annealed = [*_frozen(entry), *_unready(entry, self._rules.anneal), *_drifted(entry, self._rules.anneal)]
        return [*broken, *annealed, *above, *below, *self._fallen(entry, settled=settled)]

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
            bound = _lowest(past, share)
            if settled and bound is not None and value < bound:
                told = f"is {value:.4g}, more than {share:.0%} below the {fmean(past):.4g} of the last {len(past)}"
                yield _alarm(entry, "drop", name, value, bound, told)
            past.append(value)


def _lowest(past: Sequence[float], share: float) -> float | None:
    """How low a figure may fall below its latest values; None while there are too few of them to tell."""
    if len(past) < FEWEST:
        return None
    mean = fmean(past)
    return mean - max(share * abs(mean), DEVIATIONS * pstdev(past))


def watched(entries: Iterable[Entry], rules: WatchRules) -> list[Alarm]:
    """Every alarm of a whole log."""
    watch = Watch(rules)
    return [alarm for entry in entries for alarm in watch.judge(entry)]


def silent(epoch: int, seconds: float) -> Alarm:
    """The alarm for a training that gave no record for so long."""
    return Alarm(epoch, "silent", None, None, seconds, f"nothing was logged for {seconds:g} seconds, and no end")


def _ended(entry: Entry) -> list[Alarm]:
    if entry.row["outcome"] == "finished":
        return []
    return [Alarm(entry.epoch, "stopped", None, None, None, f"the training was stopped: {entry.row['reason']}")]


def _frozen(entry: Entry) -> Iterator[Alarm]:
    """The key figures for which annealing froze at the end of a cycle."""
    if entry.row.get("annealing.decision") != "freeze":
        return
    back = entry.row.get("annealing.rolled_back_to")
    for column, held in entry.row.items():
        part, _, last = column.rpartition(".")
        if not part.startswith(KPIS) or last != "held" or held is not False:
            continue
        found, bound = entry.row.get(f"{part}.found"), entry.row[f"{part}.bound"]
        shown = "was not measured" if found is None else f"is {found:.4g}, below {bound:.4g}"
        told = (
            f"{entry.kind} {entry.epoch}: annealing froze and went back to update {back}: {part[len(KPIS) :]} {shown}"
        )
        yield Alarm(entry.epoch, "frozen", part[len(KPIS) :], found, bound, told)


def _unready(entry: Entry, rules: AnnealBounds) -> Iterator[Alarm]:
    """A clone that was too poor to begin with, told once, where the first cycle ends."""
    found, bound = entry.row.get("annealing.clone_accuracy"), rules.clone_accuracy
    closes = entry.row.get("annealing.decision") is not None and entry.row["cycle"] == 0
    if closes and found is not None and bound is not None and found < bound:
        told = f"{entry.kind} {entry.epoch}: the clone agreed in {found:.4g} of held-out decisions, below {bound:.4g}"
        yield Alarm(entry.epoch, "clone", "clone_accuracy", found, bound, told)


def _drifted(entry: Entry, rules: AnnealBounds) -> Iterator[Alarm]:
    """Figures whose mean over the cycle that ends is too far from the first cycle's."""
    for name in DRIFTING:
        share, place = getattr(rules, name), f"{DRIFT}{name}."
        found, baseline = entry.row.get(f"{place}found"), entry.row.get(f"{place}baseline")
        if share is None or found is None or baseline is None:
            continue
        least = baseline - share * abs(baseline) if name == "loss" else share * baseline
        most = baseline + share * abs(baseline) if name == "loss" else inf
        if not least <= found <= most:
            side, bound = ("below", least) if found < least else ("above", most)
            told = f"{name} of the cycle is {found:.4g}, {side} {bound:.4g}, with {baseline:.4g} in the first cycle"
            yield Alarm(entry.epoch, "drift", name, found, bound, f"{entry.kind} {entry.epoch}: {told}")


def _not_finite(entry: Entry, column: str) -> Alarm:
    told = f"{entry.kind} {entry.epoch}: {column} is {entry.row[column]}, not a finite number"
    return Alarm(entry.epoch, "not_finite", column, None, None, told)


def _alarm(entry: Entry, rule: str, name: Watched, value: float, bound: float, told: str) -> Alarm:
    column = column_of(name, entry.kind)
    words = name if name == column else f"{name} ({column})"
    return Alarm(entry.epoch, rule, name, value, bound, f"{entry.kind} {entry.epoch}: {words} {told}")
