"""Migrations of configuration files: from each earlier form to a file of today, with the steps written into it."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from upath import UPath

from townlet_core.config.documents import Document, read_document, read_plain
from townlet_core.config.legacy.forms import EarlierForm, earlier_form
from townlet_core.config.legacy.manifests import translate_manifest
from townlet_core.config.legacy.perturbations import translate_perturbations
from townlet_core.config.legacy.rules import Line
from townlet_core.config.legacy.towns import relative, told, translate_town
from townlet_core.config.loading import load_affordances, load_config, load_scenario
from townlet_core.config.schema import FOLDER, schema_file
from townlet_core.errors import ConfigError
from townlet_core.files import write_whole

Translated = tuple[dict[str, Any], list[Line]]


class Places(NamedTuple):
    """Where a new file will stand, and the configuration folder that it draws on."""

    target: Path
    configs: Path

    @property
    def base(self) -> Path:
        """The town that gives what an earlier file says nothing about."""
        return self.configs / "towns" / "default.yaml"


class ConfigMigration(NamedTuple):
    """One registered way out of the past.

    Attributes:
        source: The form that it starts from.
        kind: The kind of file that it leads to.
        folder: The folder of the configuration that such files stand in.
        apply: Makes the new plain data and the report.
        load: Loads the new file, as a test of it.
    """

    source: EarlierForm
    kind: str
    folder: str
    apply: Callable[[Document, Places], Translated]
    load: Callable[[Path], object]

    @property
    def identifier(self) -> str:
        """How the step is recorded in the new file."""
        return f"{self.source.value}->{self.kind}"


class Migrated(NamedTuple):
    """A translated file: what it is, its text, the report, and the step that made it."""

    kind: str
    text: str
    lines: tuple[Line, ...]
    step: str


def _manifest(document: Document, places: Places) -> Translated:
    town = read_document(places.base).data
    return translate_manifest(document, read_document(places.base.parent / town["affordances"]).data)


def _perturbations(document: Document, places: Places) -> Translated:
    name = places.target.stem.replace("-", "_").replace(".", "_").lower()
    events = (read_document(places.base).data.get("perturbations") or {}).get("events") or {}
    return translate_perturbations(document, name, relative(places.base, places.target.parent), events)


def _town(document: Document, places: Places) -> Translated:
    return translate_town(document, places.base, places.target)


MIGRATIONS = (
    ConfigMigration(EarlierForm.CONFIG, "town", "towns", _town, load_config),
    ConfigMigration(EarlierForm.MANIFEST, "affordances", "affordances", _manifest, load_affordances),
    ConfigMigration(EarlierForm.PERTURBATIONS, "scenario", "scenarios", _perturbations, load_scenario),
)
"""The ways that this version knows."""


def migrate_config(old: Path, output: Path | None, configs: Path) -> Migrated:
    """Translate a file of the earlier system; with an output the new file is written, and loads.

    Args:
        old: The earlier file; it is not changed.
        output: The file to write. None writes nothing; the text is then that of a file in its folder of `configs`.
        configs: The configuration folder, whose default town gives what an earlier file does not say.

    Raises:
        ConfigError: It is no file of the earlier system, the output exists, or what comes out would not load;
            nothing is written then.
    """
    document = read_plain(old)
    migration = _migration_for(document, old)
    target = output or configs / migration.folder / f"{old.stem}.yaml"
    if output is not None and output.exists():
        raise ConfigError(f"{output}: exists already; name another file, or remove it first")
    data, lines = migration.apply(document, Places(target, configs))
    text = _header(document, old, migration, Places(target, configs)) + _yaml(data)
    if output is not None:
        _write(output, text, migration)
    return Migrated(migration.kind, text, tuple(told(lines)), migration.identifier)


def _migration_for(document: Document, old: Path) -> ConfigMigration:
    found = earlier_form(document.data)
    if found is None:
        raise ConfigError(
            f"{old}: is no file of the earlier system (a configuration with 'features', perturbations with 'events', "
            "or a list of affordances); check one of today with: townlet validate config"
        )
    return next(migration for migration in MIGRATIONS if migration.source is found[0])


def _write(output: Path, text: str, migration: ConfigMigration) -> None:
    write_whole(UPath(output), text.encode())
    try:
        migration.load(output)
    except ConfigError:
        output.unlink()
        raise


def _header(document: Document, old: Path, migration: ConfigMigration, places: Places) -> str:
    schema = relative(places.configs / FOLDER / schema_file(migration.kind), places.target.parent)
    digest = hashlib.sha256(old.read_bytes()).hexdigest()
    lines = [f"yaml-language-server: $schema={schema}", f"migrated_from: {old.name} sha256:{digest}"]
    lines.append(f"migrations: {migration.identifier}")
    scene = document.data.get("scenario") if isinstance(document.data, dict) else None
    if isinstance(scene, dict) and "description" in scene:
        lines.append(" ".join(str(scene["description"]).split()))
    return "".join(f"# {line}\n" for line in lines)


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=None, allow_unicode=True, width=118)
