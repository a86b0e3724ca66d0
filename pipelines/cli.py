"""The `townlet` command: the library's verbs, and those that run and audit the line."""

import typer

from pipelines import auditing, releasing
from townlet_core.cli import run
from townlet_core.cli.application import application


def whole_application() -> typer.Typer:
    """Make the application with every verb of the house."""
    app = application()
    app.add_typer(releasing.app, name="release")
    app.add_typer(auditing.app, name="audit")
    return app


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    run(whole_application())


if __name__ == "__main__":
    main()
