"""The folders that the stages of the line work in, and the records by which one stage finds what another gave."""

from pathlib import Path
from typing import NamedTuple

from townlet_core.datasets.store import Record, Store


class Workshop(NamedTuple):
    """One data folder: `datasets/` (shards and manifests), `artifacts/` (what was made of them), `line/` (a record per
    stage: what it gave last) and `releases/` (bundles and the release pointer).
    """

    data: Path

    @property
    def datasets(self) -> Store:
        """Shards, dataset versions and the derivations of both."""
        return Store(self.data / "datasets")

    @property
    def artifacts(self) -> Store:
        """Checkpoints, rollouts, plots and reports, with the derivations that made them."""
        return Store(self.data / "artifacts")

    @property
    def releases(self) -> Path:
        """Release bundles, and the pointer to the current one."""
        return self.data / "releases"

    @property
    def state(self) -> Store:
        """The records at the top of the data folder: the decision and the release pointer."""
        return Store(self.data)

    def publish(self, stage: str, record: Record) -> None:
        """Make a result the one that later stages use; callers do so only when its blocking guarantees hold."""
        self.state.write_record(f"line/{stage}.json", record)

    def latest(self, stage: str) -> Record:
        """What a stage published last.

        Raises:
            DataError: it never did, or the record is damaged; the message names the file.
        """
        return self.state.read_record(f"line/{stage}.json")

    def has(self, stage: str) -> bool:
        """Whether a stage has published anything."""
        return self.state.has_record(f"line/{stage}.json")


def stored_bytes(store: Store, name: str) -> bytes:
    """The verified bytes of the object called `<sha256><suffix>`. Raises DataError when it is missing or damaged."""
    digest, _, suffix = name.partition(".")
    return store.read_bytes(digest, f".{suffix}")
