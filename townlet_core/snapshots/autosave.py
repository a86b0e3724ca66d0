"""Saves running towns at a steady cadence and keeps the newest few files of each run."""

from pathlib import Path
from typing import NamedTuple

from townlet_core.config import config_digest, digest
from townlet_core.config.snapshots import MAX_RETAIN, MIN_CADENCE
from townlet_core.core import Actor, Simulation
from townlet_core.errors import InputError
from townlet_core.snapshots.loading import save

SUFFIX = ".safetensors"


class Autosave(NamedTuple):
    """Where a run saves itself, every how many ticks, and how many of its files it keeps.

    Files are called ``<run>-<tick>.safetensors``; the run's name follows from what decides its history, so several
    runs share a folder without touching each other's files.
    """

    folder: Path
    every: int
    keep: int
    actor: Actor = Actor()
    migrations: tuple[str, ...] = ()

    def after_tick(self, sim: Simulation) -> Path | None:
        """Save if it is time to.

        Returns:
            The new file, or None when nothing was saved.

        Raises:
            DataError: The file cannot be written; the older ones are still there.
        """
        if sim.tick % self.every:
            return None
        path = self.folder / f"{run_name(sim)}-{sim.tick:09}{SUFFIX}"
        save(sim, path, self.actor, self.migrations)
        self._prune(path)
        return path

    def _prune(self, newest: Path) -> None:
        """Remove what is older than the newest few of this run; later ones, of a run begun anew, stay."""
        run = newest.name.split("-")[0]
        own = sorted(path for path in self.folder.glob(f"{run}-*{SUFFIX}") if path.name <= newest.name)
        for stale in own[: -self.keep]:
            stale.unlink(missing_ok=True)


def plan_autosave(folder: Path, every: int, keep: int, actor: Actor, migrations: tuple[str, ...] = ()) -> Autosave:
    """Plan the saving of a run.

    Raises:
        InputError: The cadence or the number of files kept is out of its range.
    """
    if every < MIN_CADENCE:
        raise InputError(f"autosave: every {every} ticks is too often; save every {MIN_CADENCE} ticks or more seldom")
    if not 1 <= keep <= MAX_RETAIN:
        raise InputError(f"autosave: cannot keep {keep} files; keep 1 to {MAX_RETAIN}")
    return Autosave(folder, every, keep, actor, migrations)


def run_name(sim: Simulation) -> str:
    """Twelve hex digits that stand for all that decides a run's history but the actions."""
    return digest([config_digest(sim.config), sim.seed, sim.first_town, *sim.shape])[:12]
