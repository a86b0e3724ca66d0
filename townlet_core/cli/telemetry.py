"""`townlet telemetry`, and what `townlet simulate --telemetry` does."""

from collections import Counter
from io import BufferedReader
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from townlet_core.cli import logs
from townlet_core.cli.options import AsJson
from townlet_core.cli.output import print_facts, print_json
from townlet_core.config.telemetry import TelemetryConfig, aimed_at, load_telemetry
from townlet_core.core import Simulation
from townlet_core.errors import DataError, InputError
from townlet_core.stability.canaries import Canaries
from townlet_core.telemetry.mirror import Mirror, read_frames
from townlet_core.telemetry.schema import schema_json
from townlet_core.telemetry.sender import SenderStatus
from townlet_core.telemetry.stream import TelemetryStream

app = typer.Typer(help="Frames of a town's telemetry, and the log of a training.", no_args_is_help=True)

app.command("watch", epilog=logs.WATCH)(logs.watch_log)
app.command("summary", epilog=logs.SUMMARY)(logs.summarise)

Target = Annotated[
    str | None,
    typer.Option("--telemetry", metavar="TARGET", help="Send the first town's frames: stdout, FILE, tcp://HOST:PORT."),
]
Settings = Annotated[
    Path | None,
    typer.Option("--telemetry-config", help="Telemetry settings.", show_default="configs/telemetry.yaml"),
]
Frames = Annotated[Path, typer.Argument(help="A file of frames, one to a line.", show_default=False)]


class LiveTelemetry(NamedTuple):
    """A town that is being told of, and the canaries that watch it."""

    stream: TelemetryStream
    canaries: Canaries

    def after_tick(self) -> None:
        """Take in the latest tick."""
        self.canaries.observe()
        self.stream.observe(self.canaries.calling())


def telemetry_config(target: str | None, settings: Path | None, configs: Path) -> TelemetryConfig | None:
    """Read what the options ask for; None when they ask for no telemetry.

    Raises:
        ConfigError: The settings or the target are wrong.
    """
    if target is None and settings is None:
        return None
    config = load_telemetry(settings or configs / "telemetry.yaml")
    return config if target is None else aimed_at(config, target)


def refuse_two_on_stdout(config: TelemetryConfig | None, others: dict[str, bool]) -> None:
    """Raise InputError when frames go to standard output and another option writes there too."""
    clash = [name for name, given in others.items() if given]
    if config is not None and config.transport.target == "stdout" and clash:
        raise InputError(f"{clash[0]}: frames go to standard output; send them to a file, or leave {clash[0]} out")


def start_telemetry(sim: Simulation, config: TelemetryConfig | None) -> LiveTelemetry | None:
    """Begin to tell of the first town, if there are settings.

    Raises:
        InputError: The target cannot be opened, a canary could never call, or privacy lacks its key.
    """
    if config is None:
        return None
    canaries = Canaries(sim, config.canaries)
    return LiveTelemetry(TelemetryStream(sim, config), canaries)


def end_telemetry(live: LiveTelemetry | None) -> SenderStatus | None:
    """Send what is left, and say on stderr how it went."""
    if live is None:
        return None
    status = live.stream.close()
    typer.echo(f"telemetry: {status.sent} frames to {status.target}, {status.dropped} dropped", err=True)
    if status.last_error is not None:
        typer.echo(f"warning: telemetry: {status.last_error}", err=True)
    return status


@app.command("schema", epilog="Example: townlet telemetry schema > telemetry.schema.json")
def show_schema() -> None:
    """Print the JSON Schema of a frame."""
    typer.echo(schema_json(), nl=False)


@app.command("check", epilog="Example: townlet telemetry check town.ndjson")
def check_frames(file: Frames, as_json: AsJson = False) -> None:
    """Hold every frame against the schema and follow the town through it; missed frames are exit code 1."""
    mirror, kinds, events = Mirror(), Counter[str](), Counter[str]()
    with _opened(file) as lines:
        for frame in read_frames(lines, str(file)):
            mirror.apply(frame)
            kinds[frame["kind"]] += 1
            events.update(event["event"] for event in frame["events"])
    facts: dict[str, int | None] = {"snapshots": kinds["snapshot"], "diffs": kinds["diff"], "missed": mirror.missed}
    facts |= {"events": events.total(), "tick": mirror.state["clock"]["tick"] if mirror.state else None}
    if as_json:
        print_json({"ok": mirror.missed == 0, **facts})
    else:
        print_facts(f"{file}: frames of telemetry", facts)
    if mirror.missed:
        raise typer.Exit(1)


@app.command("narrate", epilog="Example: townlet telemetry narrate town.ndjson")
def narrate(file: Frames) -> None:
    """Print what the narrator said, with day and time."""
    ticks_per_day = 1440
    with _opened(file) as lines:
        for frame in read_frames(lines, str(file)):
            ticks_per_day = frame.get("run", {}).get("ticks_per_day", ticks_per_day)
            for sentence in frame["narration"]:
                day, tick = divmod(sentence["tick"], ticks_per_day)
                hour, minute = divmod(tick * 1440 // ticks_per_day, 60)
                typer.echo(f"day {day + 1}, {hour:02}:{minute:02}  {sentence['text']}")


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; give a file that --telemetry wrote") from error
