"""Where the line reads and writes, as a Dagster resource: the configuration folder and the data folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

# The engine behind these modules takes a second to import: definitions load without it.
if TYPE_CHECKING:
    from townlet_core.datasets.store import Store
    from townlet_core.release.workshop import Workshop

OWNERS = ["team:townlet"]


class Line(dg.ConfigurableResource):
    """The two folders that every stage works in, as absolute paths."""

    data: str
    configs: str

    @property
    def workshop(self) -> "Workshop":
        """The stages' folders and records below the data folder."""
        from townlet_core.release.workshop import Workshop

        return Workshop(Path(self.data))

    @property
    def store(self) -> "Store":
        """The store of shards and dataset versions."""
        return self.workshop.datasets

    def config(self, name: str) -> Path:
        """A file of the configuration folder."""
        return Path(self.configs) / name


def line_from_environment() -> Line:
    """The line of this process: `TOWNLET_DATA` and `TOWNLET_CONFIGS`, by default `./data` and `./configs`."""
    return Line(
        data=str(Path(os.environ.get("TOWNLET_DATA", "data")).resolve()),
        configs=str(Path(os.environ.get("TOWNLET_CONFIGS", "configs")).resolve()),
    )
