"""The command line `townlet`: thin verbs over the library, one module per group."""

from townlet_core.cli.application import app
from townlet_core.cli.running import EXIT_CODES, run

__all__ = ["EXIT_CODES", "app", "run"]
