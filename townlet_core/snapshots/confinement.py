"""Keeps snapshots inside the folders that they may be read from and written to."""

from pathlib import Path

from townlet_core.config import SnapshotRules
from townlet_core.errors import DataError


def allowed_folders(rules: SnapshotRules, data: Path) -> tuple[Path, ...]:
    """The root of the snapshots below the folder that runs write to, then the folders allowed beside it."""
    return (data / rules.root, *map(Path, rules.guardrails.allowed_paths))


def require_inside(path: Path, folders: tuple[Path, ...]) -> None:
    """Refuse a path that leads out of all the folders, by `..` or by a link.

    Raises:
        DataError: Names the first folder, where the file would be welcome.
    """
    place = path.resolve()
    if not any(place.is_relative_to(folder.resolve()) for folder in folders):
        raise DataError(
            f"{path}: lies outside {folders[0]}; put it there, or add its folder to guardrails.allowed_paths "
            "in configs/snapshots.yaml"
        )
