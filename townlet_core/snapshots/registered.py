"""The migrations that this version knows."""

from townlet_core.snapshots.lives import lives
from townlet_core.snapshots.migrations import Migration
from townlet_core.snapshots.widening import widening

MIGRATIONS: tuple[Migration, ...] = (
    Migration("schema:1", "schema:3", "lives", lives),
    Migration("schema:2", "schema:3", "widening", widening),
)
"""The registered steps; towns of schema 1 are settled anew, so that they come out in the form of today."""
