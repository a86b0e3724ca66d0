"""Timelines: a demonstration as a file, in which commands befall a town at ticks that are known beforehand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from townlet_core.config import TownConfig
from townlet_core.config.demo import DemoFile
from townlet_core.config.documents import Document, read_document
from townlet_core.config.loading import trace_file
from townlet_core.config.reading import read_model
from townlet_core.console.catalogue import find
from townlet_core.console.console import SPECS, Console
from townlet_core.console.envelope import Command, CommandError, Result


class Timeline(NamedTuple):
    """A demonstration, ready to be played.

    Attributes:
        written: The file.
        config: The town that it is played in, with an episode as long as the demonstration.
        document: Where everything was written.
    """

    written: DemoFile
    config: TownConfig
    document: Document


def load_timeline(path: Path) -> Timeline:
    """Load a demonstration and its town; what its commands name is checked by ``require_playable``.

    Raises:
        ConfigError: A file is missing or something in it is wrong.
    """
    document = read_document(path)
    written = read_model(document, DemoFile)
    if written.demo != path.stem:
        raise document.error(("demo",), f"found '{written.demo}', expected the file's own name '{path.stem}'")
    target = path.parent / written.town
    if not target.is_file():
        raise document.error(("town",), f"{target} does not exist; write the path of a town or scenario from here")
    town = trace_file(target).config
    days = -(-(written.ticks + 1) // town.clock.ticks_per_day)
    clock = town.clock.model_copy(update={"episode_days": max(days, town.clock.episode_days)})
    return Timeline(written, town.model_copy(update={"clock": clock}), document)


def require_playable(timeline: Timeline, console: Console) -> None:
    """Check every command before anything runs: its name, its arguments, whom it names, and its tick.

    Raises:
        ConfigError: The first that could not be given, with its line.
    """
    last = 0
    for index, entry in enumerate(timeline.written.timeline):
        path = ("timeline", index)
        if not last <= entry.tick <= timeline.written.ticks:
            raise timeline.document.error((*path, "tick"), _out_of_order(entry.tick, last, timeline.written.ticks))
        last = entry.tick
        try:
            spec = find(entry.command, SPECS)
            spec.names(spec.arguments(entry.args), console.desk)
        except CommandError as error:
            key = "command" if error.code == "not_found" and entry.command not in SPECS else "args"
            raise timeline.document.error((*path, key), str(error)) from error


def play(timeline: Timeline, console: Console, live: Callable[[], None]) -> Iterator[Result]:
    """Let a town live through a demonstration.

    Args:
        timeline: What befalls it; checked already.
        console: Its console.
        live: Lives one tick.

    Yields:
        The result of each command, in the order of the file.
    """
    waiting = list(timeline.written.timeline)
    for tick in range(timeline.written.ticks + 1):
        while waiting and waiting[0].tick == tick:
            entry = waiting.pop(0)
            yield console.execute(Command(name=entry.command, args=entry.args, issuer=timeline.written.demo))
        if tick < timeline.written.ticks:
            live()


def _out_of_order(tick: int, last: int, end: int) -> str:
    if tick < last:
        return f"found {tick} after {last}; write the timeline in order"
    return f"found {tick}, beyond the demonstration's {end} ticks"
