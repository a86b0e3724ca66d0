"""Snapshots: which files of saved towns may be loaded, what an older one needs first, and how runs save themselves."""

from townlet_core.snapshots.autosave import Autosave, plan_autosave
from townlet_core.snapshots.confinement import allowed_folders, require_inside
from townlet_core.snapshots.loading import Restored, inspect, load, migrate, save
from townlet_core.snapshots.migrations import Migration, migrated, shortest_path
from townlet_core.snapshots.registered import MIGRATIONS
from townlet_core.snapshots.schema import published_form

__all__ = [
    "MIGRATIONS",
    "Autosave",
    "Migration",
    "Restored",
    "allowed_folders",
    "inspect",
    "load",
    "migrate",
    "migrated",
    "plan_autosave",
    "published_form",
    "require_inside",
    "save",
    "shortest_path",
]
