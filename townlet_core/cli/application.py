"""The command line of the library: the verbs that need no Dagster."""

import typer

from townlet_core.cli.running import EXIT_CODES


def application() -> typer.Typer:
    """Make an application of commands with the house's habits: short help, an epilog with the exit codes."""
    return typer.Typer(
        name="townlet",
        help="A small simulated town, and the line that turns it into releases anybody can verify.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


app = application()
