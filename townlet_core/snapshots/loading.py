"""Saves, inspects, migrates and loads snapshots under the rules of whoever runs the towns."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config import Guardrails, TownConfig, config_digest
from townlet_core.core import ENGINE, SCHEMA_VERSION, UNNAMED, Actor, Identity, Simulation
from townlet_core.core.identity import read_identity, read_steps, require_schema
from townlet_core.core.saving import revived, snapshot_of
from townlet_core.core.statefile import StateFile, read_statefile, write_statefile
from townlet_core.errors import DataError
from townlet_core.kernels import source_digest
from townlet_core.snapshots.adoption import adopted, config_difference
from townlet_core.snapshots.migrations import Migration, migrated
from townlet_core.snapshots.registered import MIGRATIONS

STRICTEST = Guardrails()
"""What may be loaded unless somebody says otherwise."""


class Restored(NamedTuple):
    """Towns out of a file, ready to go on, with what the file said of them and the steps it had gone through."""

    sim: Simulation
    identity: Identity
    migrations: tuple[str, ...]


def save(sim: Simulation, path: Path | str, actor: Actor = UNNAMED, migrations: Sequence[str] = ()) -> None:
    """Write a snapshot that remembers the migrations of the file that its towns came from.

    Args:
        sim: The towns; they are not disturbed.
        path: The file; it appears whole or not at all.
        actor: Who chose for the citizens.
        migrations: The steps of the file that the towns were loaded from (``Restored.migrations``).

    Raises:
        DataError: The file cannot be written.
    """
    write_statefile(path, snapshot_of(sim, actor, tuple(migrations)))


def load(
    path: Path | str,
    config: TownConfig | None = None,
    guardrails: Guardrails = STRICTEST,
    *,
    threads: int = 1,
) -> Restored:
    """Load towns that go on to the bit.

    Args:
        path: The file.
        config: The configuration that the towns should live by; None takes the one in the file.
        guardrails: What may be loaded.
        threads: Towns are split over this many threads.

    Raises:
        DataError: The file is missing, damaged or of another schema version, its records differ from this version's,
            or its configuration is not ``config`` and the guardrails ask for exactly that one.
        ConfigError: The town in it would not be accepted from a file either.
    """
    where = str(path)
    stored = read_statefile(path)
    require_schema(stored.header, where, guardrails.allow_downgrade)
    identity = read_identity(stored.header, where)
    if config is not None and config_digest(config) != identity.config_digest:
        _require_leave(identity, config, guardrails, where)
        stored = adopted(stored, identity, config, where)
    sim = revived(Simulation, stored, where, threads=threads, allow_downgrade=guardrails.allow_downgrade)
    return Restored(sim, read_identity(stored.header, where), read_steps(stored.header, where))


def inspect(path: Path | str) -> dict[str, Any]:
    """Tell what a snapshot says of itself, whatever its schema version; its bytes are checked, nothing is built.

    Returns:
        Plain values: ``schema_version``, ``identity`` without the configuration's text, ``migrations``, ``arrays``
        (shape and bytes by name), and whether ``same_engine`` would continue it.

    Raises:
        DataError: The file is missing, damaged or no snapshot.
    """
    header, arrays = read_statefile(path)
    identity = header.get("identity")
    identity = identity if isinstance(identity, dict) else {}
    return {
        "schema_version": header.get("schema_version"),
        "identity": {key: value for key, value in identity.items() if key != "config"},
        "migrations": header.get("migrations", []),
        "same_engine": identity.get("engine") == source_digest(*ENGINE),
        "arrays": {name: {"shape": list(array.shape), "bytes": array.nbytes} for name, array in arrays.items()},
    }


def migrate(
    path: Path | str,
    target: Path | str,
    config: TownConfig | None = None,
    registry: Sequence[Migration] = MIGRATIONS,
    schema_version: int = SCHEMA_VERSION,
) -> tuple[str, ...]:
    """Write a file of today from an older one, or one that goes on by another configuration.

    Args:
        path: The file; it is not changed.
        target: The file to write.
        config: The configuration to go on by; a registered way to its ``config_id`` is taken if there is one, else
            the towns adopt it as they are. None keeps the file's own.
        registry: The steps to choose from.
        schema_version: The version to reach.

    Returns:
        All steps that the new file has gone through.

    Raises:
        DataError: There is no way, or what it leads to cannot be loaded; nothing is written then.
    """
    where = str(path)
    stored = migrated(read_statefile(path), f"schema:{schema_version}", registry, where)
    if config is not None:
        stored = _reconfigured(stored, config, registry, where)
    if schema_version == SCHEMA_VERSION:
        revived(Simulation, stored, where)
    write_statefile(target, stored)
    return read_steps(stored.header, where)


def _reconfigured(stored: StateFile, config: TownConfig, registry: Sequence[Migration], where: str) -> StateFile:
    identity = read_identity(stored.header, where)
    if identity.config_id != config.config_id and any(step.target == f"config:{config.config_id}" for step in registry):
        stored = migrated(stored, f"config:{config.config_id}", registry, where)
        identity = read_identity(stored.header, where)
    return stored if identity.config_digest == config_digest(config) else adopted(stored, identity, config, where)


def _require_leave(identity: Identity, config: TownConfig, guardrails: Guardrails, where: str) -> None:
    if guardrails.require_exact_config:
        raise DataError(
            f"{where}: config_digest: the towns lived by {identity.config_id} {identity.config_digest[:12]}…, not by "
            f"{config.config_id} {config_digest(config)[:12]}… (first difference: {config_difference(identity, config)}"
            "); name the same configuration, or let them go on by the other one with townlet snapshot migrate --config"
        )
