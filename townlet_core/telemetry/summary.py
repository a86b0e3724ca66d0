"""The telemetry summary of a release run: a page of tables and plots that a person reads first."""

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from townlet_core.telemetry.days import DayProfile
from townlet_core.telemetry.kpis import KpiRow
from townlet_core.telemetry.plots import (
    KPI_TITLES,
    Report,
    action_scores,
    actions_by_hour,
    kpi_intervals,
    needs_over_day,
    training_curve,
)
from townlet_core.telemetry.tables import share, table

PAGE = "summary.md"
"""Name of the page; the plots lie beside it."""

EventCounts = Mapping[str, Mapping[str, int]]
"""How often each kind of event happened, by scenario and event name."""


class Summary(NamedTuple):
    """The page as markdown that refers to its plots by file name, and the plots as PNG by that name."""

    markdown: str
    images: dict[str, bytes]


class _Section(NamedTuple):
    title: str
    parts: list[str]
    images: dict[str, bytes]


def summarise(
    training: Report | None = None,
    days: Sequence[DayProfile] = (),
    events: EventCounts | None = None,
    kpis: Sequence[KpiRow] = (),
    title: str = "Telemetry summary",
) -> Summary:
    """Put together the page; what is not given has no section. The same inputs give the same bytes.

    Args:
        training: Report of the training, as plain data.
        days: One profile per captured scenario.
        events: Event counts of the captures.
        kpis: Key figures of an evaluation with their intervals.
        title: Heading of the page.
    """
    sections = [
        *([_training_section(training)] if training else []),
        *([_kpi_section(kpis)] if kpis else []),
        *([_days_section(days)] if days else []),
        *([_events_section(events)] if events else []),
    ]
    pages = [f"# {title}\n", *("\n".join([f"## {section.title}\n", *section.parts]) for section in sections)]
    return Summary("\n".join(pages), {name: png for section in sections for name, png in section.images.items()})


def markdown_with_images(summary: Summary) -> str:
    """Give the page with its plots inside it, so that it can be shown where no file beside it can be reached."""
    page = summary.markdown
    for name, png in summary.images.items():
        page = page.replace(f"]({name})", f"](data:image/png;base64,{base64.b64encode(png).decode()})")
    return page


def _training_section(report: Report) -> _Section:
    figures = [
        ("accuracy on held-out decisions", share(report["accuracy"])),
        (f"always guessing '{report['majority_action']}'", share(report["majority_share"])),
        ("decisions trained on", f"{report['train_decisions']:,}"),
        ("decisions held out", f"{report['held_decisions']:,}"),
        ("epochs", f"{len(report['curve'])}, of which number {report['best_epoch']} was kept"),
    ]
    scenarios = [
        (name, score["decisions"], share(score["accuracy"]), share(score["majority_share"]))
        for name, score in sorted(report["scenarios"].items())
    ]
    by_share = sorted(report["actions"].items(), key=lambda pair: -pair[1]["share"])
    actions = [(name, share(s["share"]), share(s["recall"]), share(s["precision"])) for name, s in by_share]
    parts = [
        table(["figure", "value"], figures),
        _image("training_curve.png", "Loss and agreement with the teacher by epoch"),
        table(["scenario", "decisions", "accuracy", "majority guess"], scenarios),
        _image("action_scores.png", "Recall and precision by action"),
        table(["action", "share of decisions", "recall", "precision"], actions),
    ]
    images = {"training_curve.png": training_curve(report), "action_scores.png": action_scores(report)}
    return _Section("Training", parts, images)


def _kpi_section(rows: Sequence[KpiRow]) -> _Section:
    policies = list(dict.fromkeys(row.policy for row in rows))
    found = {(row.scenario, row.kpi, row.policy): row.interval for row in rows}
    pairs = dict.fromkeys((row.scenario, row.kpi) for row in rows)
    lines = [
        (scenario, title, *(found.get((scenario, kpi, policy)) for policy in policies))
        for scenario in dict.fromkeys(scenario for scenario, _ in pairs)
        for kpi, title in KPI_TITLES.items()
        if (scenario, kpi) in pairs
    ]
    parts = [
        "Means over towns, with their confidence intervals.\n",
        _image("kpis.png", "Key figures by scenario and policy"),
        table(["scenario", "figure", *policies], lines),
    ]
    return _Section("Key figures", parts, {"kpis.png": kpi_intervals(rows)})


def _days_section(days: Sequence[DayProfile]) -> _Section:
    lines = [
        (
            day.scenario,
            day.ticks,
            share(day.decisions / max(day.ticks, 1)),
            share(day.clipped / max(day.ticks, 1)),
            *(_lowest(day, need) for need in range(3)),
        )
        for day in days
    ]
    headers = ["scenario", "ticks lived", "decisions", "clipped rewards", "hunger", "hygiene", "energy"]
    parts = [
        "Needs are the level that nine in ten citizens were above at the worst time of day (1 = satisfied).\n",
        table(headers, lines),
        _image("actions_by_hour.png", "What the citizens did at each hour"),
        _image("needs_over_day.png", "Needs over the day"),
    ]
    images = {"actions_by_hour.png": actions_by_hour(days), "needs_over_day.png": needs_over_day(days)}
    return _Section("The captured days", parts, images)


def _lowest(day: DayProfile, need: int) -> float | None:
    levels = day.need_percentile(0.1)[need]
    return None if np.isnan(levels).all() else float(np.nanmin(levels))


def _events_section(events: EventCounts) -> _Section:
    kinds = list(dict.fromkeys(kind for counts in events.values() for kind in counts))
    happened = [kind for kind in kinds if any(counts.get(kind, 0) for counts in events.values())]
    lines = [(kind.replace("_", " "), *(counts.get(kind, 0) for counts in events.values())) for kind in happened]
    return _Section("Events", [table(["event", *events], lines)], {})


def _image(name: str, alt: str) -> str:
    return f"![{alt}]({name})\n"
