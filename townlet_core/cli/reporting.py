"""The long report of `townlet simulate`: where time and wages went, in tables, JSON and one figure."""

from pathlib import Path
from typing import Annotated, Any

import typer
from upath import UPath

from townlet_core.cli.output import interval_text, print_table
from townlet_core.config import TownConfig
from townlet_core.core import Simulation
from townlet_core.errors import InputError
from townlet_core.files import write_whole
from townlet_core.telemetry import Interval
from townlet_core.telemetry.diary import Diary

Report = Annotated[
    bool, typer.Option("--report", help="Show every key figure, wages against the cost of a day, and time by option.")
]
Plot = Annotated[Path | None, typer.Option(help="Draw the report as a PNG file.", show_default=False)]


def diary_for(sim: Simulation, report: bool, plot: Path | None) -> Diary | None:
    """Begin a diary where a report or a figure is asked for.

    Raises:
        InputError: The figure's name is not that of a PNG file, or the run ends before its first midnight.
    """
    if plot is not None and plot.suffix.lower() != ".png":
        raise InputError(f"--plot: {plot} is not the name of a PNG file; end it in .png")
    left = sim.config.clock.episode_days * sim.config.clock.ticks_per_day - sim.tick
    if plot is not None and sim.minute + left < sim.config.clock.ticks_per_day:
        raise InputError("--plot: the run ends before a midnight, so there is no day to draw; go on for longer")
    return Diary(sim) if report or plot is not None else None


def print_diary(diary: Diary, config: TownConfig) -> None:
    """Print wages against the cost of a day and the time spent on each option, with 95 % intervals."""
    rows = [_row(name, figure) for name, figure in diary.livelihood(config).items()]
    print_table("livelihood, coins per citizen and day", ("figure", "mean", "95 % interval"), rows)
    shares = sorted(diary.shares().items(), key=lambda item: -item[1].mean)
    print_table("share of ticks by option", ("option", "mean", "95 % interval"), [_row(*item) for item in shares])


def diary_document(diary: Diary, config: TownConfig) -> dict[str, Any]:
    """Give the same as plain data."""
    parts = {"livelihood": diary.livelihood(config), "options": diary.shares()}
    return {key: {name: figure._asdict() for name, figure in part.items()} for key, part in parts.items()}


def draw_diary(diary: Diary, config: TownConfig, plot: Path) -> None:
    """Draw the diary into a PNG file that appears whole or not at all."""
    from townlet_core.telemetry.life_plot import life_of  # imported here: most runs draw nothing

    write_whole(UPath(plot), life_of(diary, config))


def _row(name: str, figure: Interval) -> tuple[str, str, str]:
    return name, f"{figure.mean:.3f}", interval_text(figure)
