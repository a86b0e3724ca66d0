"""YAML read together with where everything in it stands, so that an error can name the line."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import yaml

from townlet_core.errors import ConfigError

KeyPath = tuple[str | int, ...]

_EXPONENT = re.compile(r"^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$")


class Place(NamedTuple):
    """Where a value was written: the file, the line (None where there are no lines) and the key within the file."""

    file: str
    line: int | None
    key: KeyPath

    def error(self, problem: str, below: KeyPath = ()) -> ConfigError:
        """Make the one-line error for a problem here, or at a key below that was never written."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        key = dotted(self.key + below)
        return ConfigError(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")


class Document(NamedTuple):
    """Plain data and the place of every value in it, by path from the root."""

    data: Any
    places: dict[KeyPath, Place]

    def place(self, path: KeyPath) -> tuple[Place, KeyPath]:
        """Find the nearest written place at or above `path`, and the rest of the path below it."""
        for depth in range(len(path), -1, -1):
            if path[:depth] in self.places:
                return self.places[path[:depth]], path[depth:]
        return Place("config", None, ()), path

    def below(self, root: KeyPath) -> "Document":
        """Give the part below `root` as a document of its own; its errors still name the whole key."""
        data = self.data
        for part in root:
            data = data[part]
        depth = len(root)
        return Document(data, {path[depth:]: place for path, place in self.places.items() if path[:depth] == root})

    def keeping(self, keys: Iterable[str]) -> "Document":
        """Give the same document with only some of its outermost keys."""
        return Document({key: self.data[key] for key in keys if key in self.data}, self.places)

    def error(self, path: KeyPath, problem: str) -> ConfigError:
        """Make the one-line error for a problem at `path`."""
        place, below = self.place(path)
        return place.error(problem, below)


def dotted(path: KeyPath) -> str:
    """Write a path the way people do: `jobs.clerk.wage_rate`, `rows[3]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which also reads 1e-3 as a number as everybody expects."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))


def read_document(path: str | Path) -> Document:
    """Read a YAML file of keys and values with positions.

    Raises:
        ConfigError: The file is missing, unreadable, not YAML, or holds duplicate keys, aliases or tags.
    """
    document = read_plain(path)
    require_keys(document)
    return document


def read_plain(path: str | Path) -> Document:
    """Read a YAML file with positions, whatever it holds: a list too. Raises ConfigError as `read_document`."""
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: {_unreadable(error)}") from error
    return _parsed(text, name)


def require_keys(document: Document) -> None:
    """Refuse a document that is no section with keys. Raises ConfigError."""
    if not isinstance(document.data, dict):
        file = document.places[()].file
        raise ConfigError(f"{file}:1: found {describe_value(document.data)}, expected keys with values")


def plain_document(data: Any, name: str) -> Document:
    """Wrap data that came from no file; errors then name `name` and the key, without a line."""
    return Document(data, {path: Place(name, None, path) for path in every_path(data)})


def describe_value(value: Any) -> str:
    """Say what was found, for an error: `text 'eight'`, `a list of 3`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"text {value[:60]!r}"
    if isinstance(value, list | tuple):
        return str(list(value)) if len(str(value)) < 40 else f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "a section with keys of its own"
    return str(value)


def every_path(data: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """List the paths of plain data and of everything in it, from the root on, each below `path`."""
    yield path
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from every_path(value, (*path, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from every_path(value, (*path, index))


def _parsed(text: str, file: str) -> Document:
    try:
        return _composed(text, file)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, file) from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"{file}: {error.reason}; write plain text in UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{file}: nested too deeply; a configuration is at most a dozen levels deep") from error


def _composed(text: str, file: str) -> Document:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        places: dict[KeyPath, Place] = {(): Place(file, 1, ())}
        data = _Reader(file, loader, places, set()).value(node, ()) if node is not None else {}
    finally:
        loader.dispose()
    return Document(data, places)


class _Reader(NamedTuple):
    file: str
    loader: _Loader
    places: dict[KeyPath, Place]
    seen: set[int]

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._note(node, path)
        if id(node) in self.seen:
            self._refuse(node, path, "an alias of what stands here; write the value out instead")
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node, path, "a key that is no plain word; use text as the key")
            key = key_node.value
            if key in result:
                first = self.places[(*path, key)].line
                self._refuse(key_node, (*path, key), f"duplicate key, first on line {first}; keep one of them")
            result[key] = self.value(value_node, (*path, key))
            self._note(key_node, (*path, key))
        return result

    def _scalar(self, node: yaml.Node, path: KeyPath) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in ("str", "timestamp", "value", "merge"):
            return node.value
        if kind not in ("null", "bool", "int", "float"):
            self._refuse(node, path, f"tag {node.tag}; only plain values are read")
        value = self.loader.construct_object(node)
        if isinstance(value, float) and value - value != 0.0:
            self._refuse(node, path, f"found {node.value}, expected a finite number")
        return value

    def _note(self, node: yaml.Node, path: KeyPath) -> None:
        self.places[path] = Place(self.file, node.start_mark.line + 1, path)

    def _refuse(self, node: yaml.Node, path: KeyPath, problem: str) -> NoReturn:
        raise Place(self.file, node.start_mark.line + 1, path).error(problem)


def _syntax_error(error: yaml.MarkedYAMLError, file: str) -> ConfigError:
    line = 1 if error.problem_mark is None else error.problem_mark.line + 1
    if "'\\t'" in str(error.problem):
        return ConfigError(f"{file}:{line}: not valid YAML: found a tab; indent with spaces")
    return ConfigError(f"{file}:{line}: not valid YAML: {error.problem}; check quotes, brackets and indentation")


def _unreadable(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnicodeDecodeError):
        return "not text; a configuration is YAML in UTF-8"
    return f"cannot be read: {error.strerror}"
