"""The life of towns on one page: the rhythm of the day, what time goes to, and how the days went."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from townlet_core.config import TownConfig, basket_per_day
from townlet_core.telemetry.canvas import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    WINE,
    action_colour,
    day_axis,
    drawn,
    share_axis,
)
from townlet_core.telemetry.days import HOURS
from townlet_core.telemetry.diary import DayFigures, Diary
from townlet_core.telemetry.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (13.0, 7.6)


def life_of(diary: Diary, config: TownConfig) -> bytes:
    """Draw what a diary holds, as PNG; bands and whiskers are 95 % intervals over the towns.

    Args:
        diary: At least one whole day.
        config: The towns' configuration, for what a day costs.
    """
    towns, citizens = len(diary.by_town), config.agents

    def draw(figure: "Figure", axes: Any) -> None:
        figure.suptitle(
            f"{towns} towns of {citizens} citizens, {len(diary.days)} days: {config.config_id}",
            x=0.01,
            ha="left",
            fontsize=13,
            fontweight="bold",
        )
        layout = figure.get_layout_engine()
        if layout is not None:
            layout.set(wspace=0.05, hspace=0.06)  # type: ignore[call-arg]
        _rhythm(axes[0, 0], diary)
        _time_spent(axes[0, 1], diary)
        _livelihood(axes[0, 2], diary.days, config)
        _shares(axes[1, 0], diary.days)
        _company(axes[1, 1], diary.days)
        _money(axes[1, 2], diary.days)

    return drawn(2, 3, SIZE, draw)


def _rhythm(panel: "Axes", diary: Diary) -> None:
    totals = np.maximum(diary.by_hour.sum(axis=1, keepdims=True), 1)
    shares = (diary.by_hour / totals).T
    edges = np.arange(HOURS + 1)
    stacked = np.concatenate([shares, shares[:, -1:]], axis=1)
    colours = [action_colour(name) for name in diary.options]
    panel.stackplot(edges, stacked, colors=colours, step="post", linewidth=0)
    panel.set(title="The rhythm of the day")
    panel.set_xmargin(0)
    day_axis(panel)
    share_axis(panel, "share of citizens")
    panel.grid(visible=False)


def _time_spent(panel: "Axes", diary: Diary) -> None:
    rows = sorted(diary.shares().items(), key=lambda item: item[1].mean)
    places = np.arange(len(rows))
    means = np.array([share.mean for _, share in rows]) * 100
    halves = np.array([share.high - share.mean for _, share in rows]) * 100
    panel.barh(places, means, 0.72, color=[action_colour(name) for name, _ in rows])
    panel.errorbar(means, places, xerr=_drawable(halves), fmt="none", ecolor=INK, elinewidth=1.2)
    for place, mean in enumerate(means):
        panel.text(mean + max(means) * 0.03, place, f"{mean:.1f} %", va="center", fontsize=8)
    panel.set_yticks(places, [name.replace("_", " ") for name, _ in rows])
    panel.set(title="What time goes to", xlabel="share of ticks (%)", xlim=(0, max(means) * 1.2))
    panel.grid(axis="y", visible=False)


def _livelihood(panel: "Axes", days: Sequence[DayFigures], config: TownConfig) -> None:
    wages = np.sort(np.mean([day.wages for day in days], axis=0))
    rent, basket = config.economy.rent_per_day, basket_per_day(config)
    places = np.arange(1, len(wages) + 1)
    panel.axhspan(0, rent, color="#E9E4DA", zorder=0, label=f"rent {rent:.2f}")
    panel.axhspan(rent, rent + basket, color="#F6D9B8", zorder=0, label=f"basket {basket:.2f}")
    panel.plot(places, wages, "o", color=BLUE, markersize=5, label=f"wages, mean {wages.mean():.2f}")
    panel.set(title="Wages against the cost of a day", xlabel="town, poorest first")
    panel.set_ylabel("coins per citizen and day")
    _whole_numbers(panel)
    panel.set_ylim(0, max(float(wages.max()), rent + basket) * 1.25)
    panel.grid(axis="x", visible=False)
    panel.legend(loc="upper left", ncols=3, fontsize=8, handlelength=1.0, columnspacing=1.0)


def _shares(panel: "Axes", days: Sequence[DayFigures]) -> None:
    _line(panel, days, lambda day: day.survival, GREEN, "survival")
    _line(panel, days, lambda day: day.attendance, BLUE, "attendance")
    panel.set(title="Survival and attendance", xlabel="day")
    share_axis(panel, "share")
    panel.set_ylim(0, 1.04)
    panel.legend(loc="lower right")


def _company(panel: "Axes", days: Sequence[DayFigures]) -> None:
    _line(panel, days, lambda day: day.chats, WINE, "good chats")
    _line(panel, days, lambda day: day.queue_waits, BLUE, "queues joined")
    _line(panel, days, lambda day: day.conflicts, ORANGE, "conflicts")
    panel.set(title="Chats, queues and conflicts", xlabel="day", ylabel="per citizen and day")
    panel.set_ylim(bottom=0)
    panel.legend(loc="best")


def _money(panel: "Axes", days: Sequence[DayFigures]) -> None:
    _line(panel, days, lambda day: day.wallet, INK, "wallet at midnight")
    panel.set(title="Money saved", xlabel="day", ylabel="coins per citizen")
    panel.set_ylim(bottom=0)


def _line(
    panel: "Axes",
    days: Sequence[DayFigures],
    figure: Callable[[DayFigures], npt.NDArray[np.float64]],
    colour: str,
    label: str,
) -> None:
    """Draw a figure's mean by day, with its 95 % interval over the towns as a band."""
    numbers = np.arange(1, len(days) + 1)
    estimates = [mean_interval(figure(day)) for day in days]
    means = np.array([estimate.mean for estimate in estimates])
    halves = _drawable(np.array([estimate.high - estimate.mean for estimate in estimates]))
    panel.fill_between(numbers, means - halves, means + halves, color=colour, alpha=0.18, linewidth=0)
    panel.plot(numbers, means, color=colour, marker="." if len(days) < 15 else None, label=label)
    _whole_numbers(panel)


def _whole_numbers(panel: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator  # imported here, as all of matplotlib is

    panel.xaxis.set_major_locator(MaxNLocator(integer=True))


def _drawable(halves: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give half widths that can be drawn: one town alone has no interval."""
    return np.where(np.isfinite(halves), halves, 0.0)
