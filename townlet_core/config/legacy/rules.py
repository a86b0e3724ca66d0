"""The words of a translation: what becomes of a key, by which rule, and the line that tells of it."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from townlet_core.config.documents import Document, KeyPath, dotted

Path = tuple[str, ...]


class Fate(Enum):
    """What becomes of a key of the earlier system."""

    TRANSLATED = "translated"
    ELSEWHERE = "belongs in another file"
    NONE = "no meaning here"
    DECIDE = "to decide"


class UndecidedError(ValueError):
    """A value whose translation a person must choose; the text says between what."""


def same(value: Any) -> Any:
    """Keep a value as it is."""
    return value


class Rule(NamedTuple):
    """What becomes of one key.

    Attributes:
        old: The key, dotted; `*` stands for any name or list item.
        fate: What becomes of it.
        new: The key here, in the town or in the file named by `file`; its `*` takes the name that matched.
        why: Why it has no meaning, or what a person must choose; for a translated key how its meaning changed.
        convert: Makes the new value of the old one; raises UndecidedError when it cannot.
        file: The other file that the new key stands in.
    """

    old: str
    fate: Fate
    new: str = ""
    why: str = ""
    convert: Callable[[Any], Any] = same
    file: str = ""


class Line(NamedTuple):
    """One line of the report: where the key stood, what became of it, and the sentence about it."""

    place: str
    key: str
    fate: Fate
    text: str

    def __str__(self) -> str:
        """Write the line as errors are written: place, key, then what there is to say."""
        return f"{self.place}: {self.key or '(whole file)'}: {self.fate.value}: {self.text}"


def carried(old: str, new: str, convert: Callable[[Any], Any] = same, why: str = "") -> Rule:
    """A key that has a meaning in a town."""
    return Rule(old, Fate.TRANSLATED, new, why, convert)


def elsewhere(old: str, file: str, new: str, why: str = "", convert: Callable[[Any], Any] = same) -> Rule:
    """A key that has a meaning in a file beside the town."""
    return Rule(old, Fate.ELSEWHERE, new, why, convert, file)


def moved(old: str, new: str, *names: str, file: str = "", **renamed: str) -> Iterator[Rule]:
    """Keys of an earlier section that stand in one section here: those of the same name, then those renamed.

    Args:
        old: The earlier section, dotted.
        new: The section here, dotted; empty for the top of the file.
        names: Keys called alike.
        file: The file that the section here stands in, if it is not the town.
        renamed: The key here, by the earlier key.
    """
    for earlier, here in {**{name: name for name in names}, **renamed}.items():
        fate = Fate.ELSEWHERE if file else Fate.TRANSLATED
        yield Rule(f"{old}.{earlier}", fate, f"{new}.{here}" if new else here, file=file)


def meaningless(old: str, why: str) -> Rule:
    """A key that has no meaning here, and why."""
    return Rule(old, Fate.NONE, why=why)


def undecided(old: str, why: str) -> Rule:
    """A key that a person must look at, and what there is to choose."""
    return Rule(old, Fate.DECIDE, why=why)


def path_of(text: str) -> Path:
    """Split a dotted key."""
    return tuple(text.split("."))


def match(rule: Rule, path: KeyPath) -> tuple[str, ...] | None:
    """Give the names that the stars of a rule stand for at a path, or None when it is about another key."""
    pattern = path_of(rule.old)
    if len(pattern) != len(path):
        return None
    fits = all(part in ("*", str(given)) for part, given in zip(pattern, path, strict=True))
    return tuple(str(given) for part, given in zip(pattern, path, strict=True) if part == "*") if fits else None


def filled(new: str, names: tuple[str, ...]) -> Path:
    """Put names in the place of the stars of a new key; `agent_*` counts from 1 what was a list before."""
    left = list(names)
    return tuple(_filled(part, left) if "*" in part else part for part in path_of(new))


def _filled(part: str, left: list[str]) -> str:
    name = left.pop(0)
    return name if part == "*" else part.replace("*", str(int(name) + 1))


def keys_with_rules(
    document: Document, rules: tuple[Rule, ...], path: KeyPath = ()
) -> Iterator[tuple[KeyPath, Any, Rule | None, tuple[str, ...]]]:
    """Walk a document and pair each key with the rule about it and its stars; a rule about a section takes it whole.

    Leaves without a rule come with None.
    """
    value = at(document.data, path)
    for rule in rules:
        names = match(rule, path)
        if names is not None:
            yield path, value, rule, names
            return
    if path and not (isinstance(value, dict | list) and value):
        yield path, value, None, ()
        return
    for part in value if isinstance(value, dict) else range(len(value)):
        yield from keys_with_rules(document, rules, (*path, part))


def at(data: Any, path: KeyPath) -> Any:
    """Look a path up in plain data."""
    for part in path:
        data = data[part]
    return data


def line_at(document: Document, path: KeyPath, fate: Fate, text: str) -> Line:
    """Make the line of the report about a key."""
    place, _ = document.place(path)
    where = place.file if place.line is None else f"{place.file}:{place.line}"
    return Line(where, dotted(path), fate, text)
