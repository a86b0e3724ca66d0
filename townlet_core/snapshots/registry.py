"""The registry: the steps by which this version brings older files up to date."""

from townlet_core.snapshots.lives import lives
from townlet_core.snapshots.migrations import Migration
from townlet_core.snapshots.waits import waits

MIGRATIONS: tuple[Migration, ...] = (
    Migration("schema:1", "schema:2", "lives", lives),
    Migration("schema:2", "schema:3", "waits", waits),
)
"""The steps that this version knows."""
