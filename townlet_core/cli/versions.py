"""`townlet dataset`: which dataset versions there are, and which are not to be used any more."""

from typing import Annotated

import typer

from townlet_core.cli.data import datasets_in
from townlet_core.cli.options import DATA, AsJson, Data
from townlet_core.cli.output import print_json, print_table
from townlet_core.datasets import deprecate, find_version, read_catalogue
from townlet_core.errors import InputError

app = typer.Typer(help="Dataset versions: which there are, and which are not to be used.", no_args_is_help=True)

LIST = "Example: townlet dataset list"
DEPRECATE = "Example: townlet dataset deprecate 3fa81c --because 'captured with a broken shower'"
Version = Annotated[str, typer.Argument(help="The version's id, or the beginning of it.")]
Because = Annotated[str, typer.Option("--because", help="Why nobody should learn from it.", show_default=False)]


@app.command("list", epilog=LIST)
def list_versions(as_json: AsJson = False, data: Data = DATA) -> None:
    """List every dataset version, oldest first: its id, whether it may be used, and why not."""
    catalogue = read_catalogue(datasets_in(data))
    if as_json:
        print_json([{"id": version, **entry} for version, entry in catalogue.items()])
        return
    rows = [(version[:16], entry["status"], entry["note"] or "–") for version, entry in catalogue.items()]
    print_table(f"dataset versions in {data}", ("version", "status", "why"), rows)


@app.command("deprecate", epilog=DEPRECATE)
def deprecate_version(version: Version, because: Because, data: Data = DATA) -> None:
    """Take a version out of use: what learns from the newest takes the one before it. Nothing is deleted."""
    if not because.strip():
        raise InputError("--because: say why, for whoever finds it later")
    store = datasets_in(data)
    found = find_version(store, version)
    deprecate(store, found, because)
    typer.echo(f"{found}: deprecated")
