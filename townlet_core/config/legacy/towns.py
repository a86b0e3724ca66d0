"""Translates a configuration of the earlier system into a town, and takes back what would not load."""

from collections.abc import Iterator, Mapping
from os.path import relpath
from pathlib import Path as File
from typing import Any, NamedTuple

from pydantic import ValidationError

from townlet_core.config.documents import Document, KeyPath, Place, dotted, every_path, read_document
from townlet_core.config.explain import first_problem, unknown_name
from townlet_core.config.identity import canonical_json, id_with_variant
from townlet_core.config.legacy.other_keys import OTHER_RULES
from townlet_core.config.legacy.people import employ
from townlet_core.config.legacy.perturbations import translated_section
from townlet_core.config.legacy.rules import (
    Fate,
    Line,
    Path,
    Rule,
    UndecidedError,
    filled,
    keys_with_rules,
    line_at,
    path_of,
)
from townlet_core.config.legacy.town_keys import TOWN_RULES
from townlet_core.config.loading import embedded_files
from townlet_core.config.map_checks import Problem
from townlet_core.config.reading import schema_of
from townlet_core.config.town import TownConfig
from townlet_core.config.town_checks import town_problems
from townlet_core.errors import ConfigError

RULES = TOWN_RULES + OTHER_RULES
SUSPECTS: tuple[Path, ...] = (("needs", "decay_per_tick"), ("economy", "prices"), ("jobs",))
"""What is taken back, in this order, when no single key is to blame for a town that cannot live."""
LONGEST_NAME = 80
OF_JOBS, RENT = ("jobs", "agents", "clock"), ("economy", "rent_per_day")


class Translation(NamedTuple):
    """A town in the making: its keys, where each of them came from, and the report.

    Attributes:
        values: Translated values by path.
        sources: The earlier path of each of them.
        lines: What is to be told so far.
    """

    values: dict[Path, Any]
    sources: dict[Path, KeyPath]
    lines: list[Line]


def translate_town(document: Document, base: File, target: File) -> tuple[dict[str, Any], list[Line]]:
    """Translate an earlier configuration.

    Args:
        document: The earlier file.
        base: The town that gives what the earlier file says nothing about.
        target: Where the new file will stand; the files that it names are named from there.

    Returns:
        The new town, plain data in the order of the base, and the report.

    Raises:
        ConfigError: The base cannot be used.
    """
    translation = Translation({}, {}, [])
    for path, value, rule, names in keys_with_rules(document, RULES):
        if path == ("perturbations",) and isinstance(value, dict):
            _perturbations(document, translation)
            continue
        translation.lines.append(_judged(document, path, value, rule, names, translation))
    translation.lines.extend(employ(document, translation.values))
    _name(document, translation)
    town = _loadable(document, base, target, translation)
    text = f"whatever is not told of here is as in {base}: map, affordances, and each key that the old file leaves out"
    return town, [*translation.lines, line_at(document, (), Fate.TRANSLATED, text)]


def _perturbations(document: Document, made: Translation) -> None:
    """A section of perturbations is one value: it is taken over as a whole, or taken back as a whole."""
    made.values["perturbations",], lines = translated_section(document, ("perturbations",))
    made.sources["perturbations",] = ("perturbations",)
    made.lines.extend(lines)


def _judged(
    document: Document, path: KeyPath, value: Any, rule: Rule | None, names: tuple[str, ...], made: Translation
) -> Line:
    if rule is None:
        return line_at(document, path, Fate.DECIDE, _unknown(path))
    if rule.fate is Fate.TRANSLATED:
        return _translated(document, path, value, rule, names, made)
    if rule.fate is Fate.ELSEWHERE:
        where = ".".join(filled(rule.new, names))
        text = f"{rule.file}: {where}: {_shown(value)}" + (f" ({rule.why})" if rule.why else "")
        return line_at(document, path, rule.fate, text)
    return line_at(document, path, rule.fate, rule.why)


def _translated(
    document: Document, path: KeyPath, value: Any, rule: Rule, names: tuple[str, ...], made: Translation
) -> Line:
    new = filled(rule.new, names)
    try:
        made.values[new] = rule.convert(value)
    except UndecidedError as problem:
        return line_at(document, path, Fate.DECIDE, str(problem))
    made.sources[new] = path
    text = f"{dotted(new)}: {_shown(made.values[new])}" + (f" ({rule.why})" if rule.why else "")
    return line_at(document, path, Fate.TRANSLATED, text)


def _unknown(path: KeyPath) -> str:
    """An earlier loader let every misspelling pass; here each is told."""
    known = {part for rule in RULES for part in path_of(rule.old) if part != "*"}
    hint = unknown_name("key", str(path[-1]), known)
    near = hint.partition("; ")[2]
    meant = f"; {near}" if near.startswith("did you mean") else ""
    return f"the earlier system knew no such key{meant}; leave it out, or mend the old file and translate it again"


def _name(document: Document, made: Translation) -> None:
    """Give the town an id that carries its observation variant, and tell it."""
    old = str(made.values.get(("config_id",)) or File(document.place(())[0].file).stem)
    new = id_with_variant(old[:LONGEST_NAME], str(made.values.get(("observations", "variant"), "hybrid")))
    made.values["config_id",] = new
    told_before = [line for line in made.lines if line.key != "config_id"]
    made.lines[:] = [line_at(document, ("config_id",), Fate.TRANSLATED, f"config_id: {new}"), *told_before]


def _loadable(document: Document, base: File, target: File, made: Translation) -> dict[str, Any]:
    """Lay the translated keys over the base; whatever makes the town unfit is taken back and told, until it loads."""
    while True:
        town = laid_over(base_town(base, target), made.values)
        fault = fault_of(town, target)
        if fault is None:
            return town
        taken = _taken_back(made, fault)
        if not taken:
            raise ConfigError(f"{target}: {dotted(fault.path)}: {fault.text}")
        for new, old in taken:
            made.lines[:] = [line for line in made.lines if line.key != dotted(old) or line.fate is not Fate.TRANSLATED]
            text = f"not taken over as {dotted(new)}, since the town would be refused: {fault.text}"
            made.lines.append(line_at(document, old, Fate.DECIDE, text))


def _taken_back(made: Translation, fault: Problem) -> list[tuple[Path, KeyPath]]:
    """Drop the translated keys that a fault is about; give what was dropped and where it came from."""
    culprits = _culprits(made, fault)
    if culprits and culprits[0][0] == "jobs":
        culprits = [new for new in made.values if new[0] in OF_JOBS or new[:2] == RENT]
        made.lines[:] = [line for line in made.lines if not line.key.startswith("jobs")]
    for new in culprits:
        del made.values[new]
    return [(new, made.sources.pop(new)) for new in culprits if new in made.sources]


def _culprits(made: Translation, fault: Problem) -> list[Path]:
    path = tuple(map(str, fault.path))
    groups = [[new for new in made.sources if new[: len(start)] == start] for start in SUSPECTS]
    if path[0] == "jobs":
        groups = groups if path[-1] == "wage_rate" else groups[-1:]
    elif path[0] == "opening":
        groups = [[new for new in made.sources if new == path[: len(new)] or path == new[: len(path)]]]
    else:
        groups.insert(0, [new for new in made.sources if new == path[: len(new)]])
    return next((group for group in groups if group), [])


def base_town(base: File, target: File) -> dict[str, Any]:
    """Read the keys of a town as written, with the files that it names named from where `target` stands."""
    data: dict[str, Any] = dict(read_document(base).data)
    for key in ("map", "affordances"):
        if isinstance(data.get(key), str):
            data[key] = relative(base.parent / data[key], target.parent)
    return data


def relative(file: File, folder: File) -> str:
    """Name a file from a folder, as a town names its map."""
    return File(relpath(file.resolve(), folder.resolve())).as_posix()


def laid_over(base: dict[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """Put values at their paths into plain data; jobs are replaced as a whole, since they are the town's own."""
    town = dict(base)
    if any(path[0] == "jobs" for path in values):
        town["jobs"] = {}
    for path, value in values.items():
        section = town
        for part in path[:-1]:
            section[part] = dict(section.get(part) or {})
            section = section[part]
        section[path[-1]] = value
    return town


def fault_of(town: dict[str, Any], target: File) -> Problem | None:
    """Find the first thing for which a town would be refused."""
    places = {path: Place(str(target), None, path) for path in every_path(town)}
    whole = embedded_files(Document(town, places))
    try:
        config = TownConfig.model_validate_json(canonical_json(whole.data))
    except ValidationError as error:
        return Problem(*first_problem(error, schema_of(TownConfig)))
    return next(iter(town_problems(config)), None)


def _shown(value: Any) -> str:
    text = str(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 60 else f"{text[:59]}…"


def told(lines: list[Line]) -> Iterator[Line]:
    """Order a report by line of the old file."""
    return iter(sorted(lines, key=lambda line: (int(line.place.rpartition(":")[2]), line.key)))
