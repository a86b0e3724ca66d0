"""Reads configuration files into checked models; every error names the file, the line, the key and the remedy."""

import json
from collections.abc import Callable, Iterator, Mapping
from os.path import isabs, join, normpath
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.config.affordances import AffordanceManifest
from townlet_core.config.curation import CurationRules
from townlet_core.config.documents import (
    Document,
    KeyPath,
    plain_document,
    read_document,
    read_plain,
    require_keys,
)
from townlet_core.config.expectations import read_expectations
from townlet_core.config.explain import unknown_name
from townlet_core.config.legacy.forms import refuse_earlier
from townlet_core.config.manifest_checks import manifest_problems
from townlet_core.config.map_checks import Problem, map_problems
from townlet_core.config.maps import MapConfig
from townlet_core.config.reading import Model, read_model
from townlet_core.config.scenario import Scenario, ScenarioFile
from townlet_core.config.snapshots import SnapshotRules
from townlet_core.config.town import TownConfig
from townlet_core.config.town_checks import town_problems
from townlet_core.config.training import TrainingProfile
from townlet_core.errors import ConfigError

EMBEDDED = ("map", "affordances")
"""Keys of a town whose value may be the path of another file, relative to the file that names it."""


class TracedTown(NamedTuple):
    """A town and where everything in it was written; what has no place of its own has its default."""

    config: TownConfig
    document: Document


def load_config(path: str | Path, overrides: Mapping[str, Any] | None = None) -> TownConfig:
    """Load a town with its map and its affordances embedded.

    Sections with free keys (jobs, objects, prices, …) come sorted by key, so that what has the same digest also
    has the same order.

    Args:
        path: The town's YAML file.
        overrides: Keys to replace, nested as in the file; sections merge, everything else is replaced.

    Raises:
        ConfigError: A file is missing or something in it is wrong.
    """
    document = read_config(path)
    if overrides:
        document = _merged(document, plain_document(dict(overrides), "overrides"), ())
    return _town(document).config


def load_scenario(name_or_path: str | Path, configs: Path = Path("configs")) -> Scenario:
    """Load a scenario by its name (a file of `configs/scenarios`) or by the path of its file.

    Raises:
        ConfigError: No such scenario, or something in it or in its town is wrong; an error in an override
            names the scenario's line.
    """
    path = _named_file(name_or_path, Path(configs) / "scenarios", "scenario")
    written, traced = _scenario(path)
    expectations = read_expectations(read_document(path))
    return Scenario(written.scenario, written.description, traced.config, written.capture, written.check, expectations)


def trace_town(name_or_path: str | Path, configs: Path = Path("configs")) -> TracedTown:
    """Load a town by its file, or a scenario by its file or name, and keep where everything in it was written.

    Raises:
        ConfigError: As `load_config` and `load_scenario`.
    """
    return trace_file(_named_file(name_or_path, Path(configs) / "scenarios", "scenario"))


def trace_file(path: Path) -> TracedTown:
    """Load the file of a town or of a scenario, and keep where everything in it was written. Raises ConfigError."""
    document = read_config(path)
    return _scenario(path)[1] if "scenario" in document.data else _town(document)


def _scenario(path: Path) -> tuple[ScenarioFile, TracedTown]:
    document = read_config(path)
    written = read_model(document, ScenarioFile)
    _require_own_name(document, "scenario", written.scenario, path)
    town = read_config(_referred(document, ("town",)))
    return written, _town(_merged(town, document, ("overrides",)))


def scenario_names(configs: Path = Path("configs")) -> list[str]:
    """List the names of all scenarios below a configuration folder, sorted."""
    return sorted(path.stem for path in (Path(configs) / "scenarios").glob("*.yaml"))


def captured_scenarios(configs: Path = Path("configs")) -> list[str]:
    """List the scenarios that the line captures and learns from, sorted: those whose file has the key `capture`.

    A file that cannot be read counts as one of them, so that what is wrong with it is said where it is captured.
    """
    folder = Path(configs) / "scenarios"
    return [name for name in scenario_names(configs) if _is_captured(folder / f"{name}.yaml")]


def _is_captured(path: Path) -> bool:
    try:
        return "capture" in read_document(path).data
    except ConfigError:
        return True


def load_map(path: str | Path) -> MapConfig:
    """Load and check a map alone. Raises ConfigError."""
    return _checked(read_config(path), MapConfig, map_problems)


def load_affordances(path: str | Path) -> AffordanceManifest:
    """Load and check an affordance manifest alone. Raises ConfigError."""
    return _checked(read_config(path), AffordanceManifest, manifest_problems)


def load_curation(path: str | Path) -> CurationRules:
    """Load the curation rules. Raises ConfigError."""
    return read_model(read_document(path), CurationRules)


def load_training(path: str | Path) -> TrainingProfile:
    """Load a training profile. Raises ConfigError."""
    return read_model(read_document(path), TrainingProfile)


def load_profile(name_or_path: str | Path, configs: Path = Path("configs")) -> TrainingProfile:
    """Load a training profile by its name (a file of `configs/training`) or by the path of its file.

    Raises:
        ConfigError: No such profile, something in it is wrong, or it calls itself otherwise than its file: what is
            trained by it names it.
    """
    path = _named_file(name_or_path, Path(configs) / "training", "training profile")
    document = read_document(path)
    profile = read_model(document, TrainingProfile)
    _require_own_name(document, "profile", profile.profile, path)
    return profile


def load_snapshot_rules(path: str | Path) -> SnapshotRules:
    """Load the rules for snapshots. Raises ConfigError."""
    return read_model(read_document(path), SnapshotRules)


def embedded_config(text: str | bytes, source: str) -> TownConfig:
    """Read a town out of JSON that travelled inside another file, such as a Parquet shard.

    Args:
        text: The JSON text.
        source: Name of that file, for errors.

    Raises:
        ConfigError: The JSON is damaged, or the town in it would not be accepted from a file either.
    """
    name = f"{source}: embedded town config"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: is not JSON; the file is damaged, capture it again") from error
    return _checked(plain_document(data, name), TownConfig, town_problems)


def embedded_files(document: Document) -> Document:
    """Put the files that a town names by their paths into its place. Raises ConfigError when one cannot be read."""
    for key in EMBEDDED:
        if isinstance(document.data.get(key), str):
            document = _grafted(document, key, read_config(_referred(document, (key,))))
    return document


def read_config(path: str | Path) -> Document:
    """Read a configuration file of today; one of the earlier system is refused with the command that translates it.

    Raises:
        ConfigError: As `read_document`.
    """
    document = read_plain(path)
    refuse_earlier(document)
    require_keys(document)
    return document


def _town(document: Document) -> TracedTown:
    document = embedded_files(document)
    return TracedTown(_checked(document, TownConfig, town_problems), document)


def _checked(document: Document, model: type[Model], problems: Callable[[Model], Iterator[Problem]]) -> Model:
    checked = read_model(document, model)
    _raise_first(document, problems(checked))
    return checked


def _raise_first(document: Document, problems: Iterator[Problem]) -> None:
    for problem in problems:
        raise document.error(problem.path, problem.text)


def _grafted(document: Document, key: str, branch: Document) -> Document:
    places = dict(document.places)
    places.update({(key, *path): place for path, place in branch.places.items()})
    return Document({**document.data, key: branch.data}, places)


def _referred(document: Document, path: tuple[str, ...]) -> Path:
    reference = document.data[path[0]]
    place, _ = document.place(path)
    target = Path(normpath(reference if isabs(reference) else join(Path(place.file).parent, reference)))
    if not target.is_file():
        folder = {near.name for near in target.parent.glob("*.yaml")}
        hint = unknown_name("file", target.name, folder) or f"there is no folder {target.parent}"
        raise document.error(path, f"{target} does not exist: {hint}")
    return target


def _merged(base: Document, other: Document, root: KeyPath) -> Document:
    """Lay the keys of `other` below `root` over `base`; sections merge, everything else is replaced."""
    overrides = other.data
    for part in root:
        overrides = overrides.get(part, {})
    depth = len(root)
    moved = {path[depth:]: place for path, place in other.places.items() if path[:depth] == root and len(path) > depth}
    return Document(_merge_value(base.data, overrides), {**base.places, **moved})


def _merge_value(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, Mapping):
        return {**old, **{key: _merge_value(old.get(key), value) for key, value in new.items()}}
    return new


def _require_own_name(document: Document, key: str, name: str, path: Path) -> None:
    if name != path.stem:
        raise document.error((key,), f"found '{name}', expected the file's own name '{path.stem}'")


def _named_file(name_or_path: str | Path, folder: Path, kind: str) -> Path:
    """The file of a folder that a name stands for, or the path itself; an unknown name gives the nearest one."""
    text = str(name_or_path)
    if text.endswith(".yaml") or "/" in text:
        return Path(name_or_path)
    path = folder / f"{text}.yaml"
    if not path.is_file():
        known = (file.stem for file in folder.glob("*.yaml"))
        raise ConfigError(f"{folder}: {unknown_name(kind, text, known) or f'there are no {kind}s here; add one'}")
    return path
