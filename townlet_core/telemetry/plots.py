"""The plots of a release's telemetry, each as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from townlet_core.config import NEED_NAMES
from townlet_core.telemetry.canvas import BLUE, GREY, INK, ORANGE, SERIES, action_colour, day_axis, drawn, share_axis
from townlet_core.telemetry.days import HOURS, SLOTS, DayProfile
from townlet_core.telemetry.kpis import KpiRow, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
"""A training report as plain data: `curve`, `accuracy`, `majority_share`, `actions`, `scenarios`, `best_epoch`, …"""

KPI_TITLES = {
    "survival": "Survival (share of citizens)",
    "needs_ok_share": "All needs above 0.3 (share of ticks)",
    "attendance": "Attendance (share of shift)",
    "return": "Return (reward per citizen)",
    "conflicts": "Conflicts (per citizen and day)",
    "queue_waits": "Queues joined (per citizen and day)",
    "clipped_share": "Clipped rewards (share of ticks)",
}
"""Figures that are drawn, in order, with their units."""


def training_curve(report: Report) -> bytes:
    """Draw loss and accuracy on validation episodes by epoch, with the epoch that was kept and the majority guess."""
    curve = report["curve"]
    epochs = [point["epoch"] for point in curve]

    def draw(_: "Figure", axes: Any) -> None:
        loss, accuracy = axes[0]
        loss.plot(epochs, [point["loss"] for point in curve], color=BLUE, marker=".", label="training")
        loss.plot(epochs, [point["validation_loss"] for point in curve], color=ORANGE, marker=".", label="validation")
        loss.set(title="Loss", xlabel="epoch", ylabel="cross-entropy per decision (nats)", ylim=(0, None))
        accuracy.plot(epochs, [point["accuracy"] for point in curve], color=ORANGE, marker=".", label="validation")
        accuracy.axhline(report["majority_share"], color=INK, linestyle="--", linewidth=1.2, label="majority guess")
        accuracy.set(title="Agreement with the teacher", xlabel="epoch")
        share_axis(accuracy, "share of validation decisions")
        for panel in (loss, accuracy):
            panel.axvline(report["best_epoch"], color=GREY, zorder=0, label=f"kept (epoch {report['best_epoch']})")
            panel.legend(loc="best")
            panel.xaxis.get_major_locator().set_params(integer=True)

    return drawn(1, 2, (9.0, 3.6), draw)


def action_scores(report: Report) -> bytes:
    """Draw recall and precision of each action, commonest first, with its share of the held-out decisions."""
    scores = sorted(report["actions"].items(), key=lambda pair: -pair[1]["share"])
    places = np.arange(len(scores))

    def draw(_: "Figure", axes: Any) -> None:
        panel = axes[0, 0]
        for offset, key, colour in ((-0.2, "recall", BLUE), (0.2, "precision", ORANGE)):
            panel.bar(places + offset, [score[key] or 0.0 for _, score in scores], 0.38, color=colour, label=key)
        panel.set_xticks(places, [f"{_words(name)}\n{score['share']:.1%}" for name, score in scores])
        panel.set(title="Agreement by action", xlabel="action, and its share of the decisions")
        panel.grid(axis="x", visible=False)
        share_axis(panel, "share of decisions")
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return drawn(1, 1, (9.0, 3.4), draw)


def actions_by_hour(days: Sequence[DayProfile]) -> bytes:
    """Draw what share of each hour the citizens gave to each option, one panel per scenario."""
    columns = min(2, len(days))
    rows = -(-len(days) // columns)

    def draw(figure: "Figure", axes: Any) -> None:
        for panel, day in zip(axes.flat, days, strict=False):
            _stack(panel, day)
        for panel in list(axes.flat)[len(days) :]:
            panel.set_visible(False)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right upper", title="option")

    return drawn(rows, columns, (9.0, 0.5 + 2.5 * rows), draw)


def needs_over_day(days: Sequence[DayProfile]) -> bytes:
    """Draw each need over the day: the mean of all citizens, and the level that a tenth of them are below."""

    def draw(figure: "Figure", axes: Any) -> None:
        for index, need in enumerate(NEED_NAMES):
            _need_panel(axes[0, index], days, index)
            axes[0, index].set(title=need.capitalize(), xlabel="time of day")
        axes[0, 0].set_ylabel("level (1 = satisfied)")
        lines = axes[0, 0].get_lines()[::2]
        lines += axes[0, 0].plot([], [], color=INK, linestyle=":", linewidth=1.2, label="a tenth are below")
        figure.legend(handles=lines, loc="outside lower center", ncols=5)

    return drawn(1, len(NEED_NAMES), (9.6, 3.4), draw)


def kpi_intervals(rows: Sequence[KpiRow]) -> bytes:
    """Draw the main figures of every policy in every scenario, each mean with its interval."""
    shown = [kpi for kpi in KPI_TITLES if any(row.kpi == kpi for row in rows)]
    columns = min(2, max(1, len(shown)))
    lines = -(-max(1, len(shown)) // columns)
    height = 0.8 + lines * (0.7 + 0.32 * len({row.scenario for row in rows}))

    def draw(figure: "Figure", axes: Any) -> None:
        for panel, kpi in zip(axes.flat, shown, strict=False):
            _kpi_panel(panel, [row for row in rows if row.kpi == kpi], KPI_TITLES[kpi])
        for panel in list(axes.flat)[len(shown) :]:
            panel.set_visible(False)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)

    return drawn(lines, columns, (9.0, height), draw)


def _stack(panel: "Axes", day: DayProfile) -> None:
    shares = day.action_shares()
    base: NDArray[np.float64] = np.zeros(HOURS)
    for index, name in enumerate(day.actions):
        panel.bar(np.arange(HOURS) + 0.5, shares[:, index], 1.0, base, color=action_colour(name), label=name)
        base = base + shares[:, index]
    panel.set(title=_words(day.scenario))
    panel.grid(visible=False)
    day_axis(panel)
    share_axis(panel, "citizens' time")


def _need_panel(panel: "Axes", days: Sequence[DayProfile], need: int) -> None:
    hours = (np.arange(SLOTS) + 0.5) * 24.0 / SLOTS
    for day, colour in zip(days, SERIES * len(days), strict=False):
        panel.plot(hours, day.need_means()[need], color=colour, label=_words(day.scenario))
        panel.plot(hours, day.need_percentile(0.1)[need], color=colour, linestyle=":", linewidth=1.2)
    panel.set_ylim(0, 1)
    day_axis(panel, 6)


def _kpi_panel(panel: "Axes", rows: Sequence[KpiRow], title: str) -> None:
    scenarios = list(dict.fromkeys(row.scenario for row in rows))
    policies = list(dict.fromkeys(row.policy for row in rows))
    for number, (policy, colour) in enumerate(zip(policies, SERIES * len(policies), strict=False)):
        own = [row for row in rows if row.policy == policy and finite(row.interval)]
        places = [scenarios.index(row.scenario) + 0.22 * (number - (len(policies) - 1) / 2) for row in own]
        means = np.array([row.interval.mean for row in own])
        reach = [means - [row.interval.low for row in own], np.array([row.interval.high for row in own]) - means]
        style: dict[str, Any] = {"fmt": "o", "markersize": 4, "capsize": 2.5, "linewidth": 1.4}
        panel.errorbar(means, places, xerr=reach, color=colour, label=policy, **style)
    panel.set_yticks(range(len(scenarios)), [_words(name) for name in scenarios])
    panel.set_ylim(len(scenarios) - 0.5, -0.5)
    panel.set_title(title)
    panel.margins(x=0.1)
    panel.locator_params(axis="x", nbins=5)
    if "share" in title:
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:.3g}" if value <= 1.0 else "")


def _words(name: str) -> str:
    return name.replace("_", " ")
