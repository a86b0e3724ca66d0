"""The command line of the library: the verbs that need no Dagster."""

import typer

from townlet_core.cli import (
    console,
    data,
    learning,
    observations,
    promoting,
    settings,
    simulation,
    snapshots,
    telemetry,
    validation,
    versions,
)
from townlet_core.cli.running import EXIT_CODES


def application() -> typer.Typer:
    """Make the application with every verb of the library; the line's verbs are added to it above."""
    app = typer.Typer(
        name="townlet",
        help="A small simulated town, and the line that turns it into releases anybody can verify.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    simulate = (
        "Example: townlet simulate --days 30 --report --plot a.png; townlet simulate --scenario late_clerk --check"
    )
    app.command("simulate", epilog=simulate)(simulation.simulate)
    speak = "Example: echo 'setneed agent_1 hunger=0.2' | townlet console --mode admin"
    app.command("console", epilog=speak)(console.console)
    app.command("demo", epilog="Example: townlet demo configs/demo/first_day.yaml --watch")(console.demo)
    app.command("capture", epilog="Example: townlet capture ordinary_day --date 2026-11-01")(data.capture_scenarios)
    app.command("replay", epilog="Example: townlet replay data/datasets/objects/<digest>.parquet")(data.replay_shard)
    app.command("curate", epilog="Example: townlet curate --date 2026-11-01")(data.curate_captures)
    app.command("train", epilog="Example: townlet train --profile quick")(learning.train)
    evaluate = "Example: townlet evaluate data/candidates/<digest> one_shower --towns 24"
    app.command("evaluate", epilog=evaluate)(learning.evaluate_checkpoint)
    app.add_typer(versions.app, name="dataset")
    app.add_typer(validation.app, name="validate")
    app.add_typer(settings.app, name="config")
    app.add_typer(observations.app, name="observations")
    app.add_typer(snapshots.app, name="snapshot")
    app.add_typer(telemetry.app, name="telemetry")
    app.add_typer(promoting.app, name="promote")
    return app


app = application()
