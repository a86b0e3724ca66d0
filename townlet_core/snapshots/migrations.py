"""Migrations: the registered steps that turn an older file into one of today, each recorded in the file.

A file stands at two marks, such as ``schema:1`` and ``config:default-hybrid-1``; a step leads from one mark to
another. The shortest way is taken.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from townlet_core.core.statefile import StateFile
from townlet_core.errors import DataError

SCHEMA, CONFIG = "schema", "config"


class Migration(NamedTuple):
    """One registered step.

    Attributes:
        source: The mark that it starts from.
        target: The mark that it leads to.
        name: What it does, in a word.
        apply: Gives the new file; it changes header and arrays so that the file stands at ``target``.
    """

    source: str
    target: str
    name: str
    apply: Callable[[StateFile], StateFile]

    @property
    def identifier(self) -> str:
        """How the step is recorded in the file."""
        return f"{self.source}->{self.target}:{self.name}"


def mark_of(stored: StateFile, kind: str) -> str:
    """Where a file stands: ``schema:<version>`` or ``config:<config_id>``."""
    identity = stored.header.get("identity")
    name = stored.header.get("schema_version")
    if kind == CONFIG:
        name = identity.get("config_id") if isinstance(identity, dict) else None
    return f"{kind}:{name}"


def shortest_path(source: str, target: str, registry: Sequence[Migration]) -> tuple[Migration, ...] | None:
    """Find the fewest steps from one mark to another, or None; of two equal ways the one registered first."""
    paths: dict[str, tuple[Migration, ...]] = {source: ()}
    queue = deque([source])
    while queue and target not in paths:
        mark = queue.popleft()
        for step in registry:
            if step.source == mark and step.target not in paths:
                paths[step.target] = (*paths[mark], step)
                queue.append(step.target)
    return paths.get(target)


def migrated(stored: StateFile, target: str, registry: Sequence[Migration], where: str) -> StateFile:
    """Bring a file to a mark by the shortest way; every step taken is recorded in its header.

    Args:
        stored: The file; it is not changed.
        target: The mark, such as ``schema:2``.
        registry: The steps to choose from.
        where: Name of the file, for errors.

    Raises:
        DataError: No way leads there, or a step fails or ends elsewhere.
    """
    source = mark_of(stored, target.partition(":")[0])
    path = shortest_path(source, target, registry)
    if path is None:
        known = ", ".join(step.identifier for step in registry) or "none"
        raise DataError(f"{where}: no migration leads from {source} to {target}; registered steps: {known}")
    for step in path:
        stored = recorded(_applied(step, stored, where), step.identifier)
    return stored


def recorded(stored: StateFile, identifier: str) -> StateFile:
    """Add a step to the list of those that a file has gone through."""
    return stored._replace(header={**stored.header, "migrations": [*stored.header.get("migrations", []), identifier]})


def _applied(step: Migration, stored: StateFile, where: str) -> StateFile:
    try:
        result = step.apply(StateFile(dict(stored.header), dict(stored.arrays)))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{where}: migration {step.identifier} failed: {error!r}; the file is unchanged") from error
    reached = mark_of(result, step.target.partition(":")[0])
    if reached != step.target:
        raise DataError(f"{where}: migration {step.identifier} ended at {reached}; mend the migration")
    return result
