"""The rules of the house hold everywhere: floors, sizes, docstrings, nothing committed that belongs to a machine."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from townlet_core.config import check_config

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("townlet_core", "assets", "pipelines")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 80
P90_FUNCTION_LINES = 30
DOCSTRING_SHARE = 0.9
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}
MACHINE_SIGNS = (
    re.compile(rb"https?://[^\s/\"']+/simple\b"),  # a package index
    re.compile(rb"--(extra-)?index-" + rb"url"),
    re.compile(rb"(?<![\w.])/(root|home)/" + rb"\w"),
)
"""What tells of one machine: where its packages come from, and whose folder it worked in."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Named(NamedTuple):
    """Something with a name in a source file, and whether it says what it is for."""

    place: str
    documented: bool


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    for child in node.body:
        if isinstance(child, Definition) and not child.name.startswith("_"):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _named() -> Iterator[Named]:
    for path in SOURCES:
        tree = _tree(path)
        yield Named(_place(path, 1), bool(ast.get_docstring(tree)))
        for node in _public(tree):
            yield Named(f"{_place(path, node.lineno)} {node.name}", bool(ast.get_docstring(node)))


def _code_lines(function: Function) -> int:
    """Lines of a function from its signature to its end, without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return lines
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)


def _function_lengths() -> list[tuple[int, str]]:
    return sorted(
        (_code_lines(node), f"{_place(path, node.lineno)} {node.name}")
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, Function)
    )


def _committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing tells what is committed")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_only_go_down_the_floors() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "3 kept, 0 broken" in result.stdout, result.stdout + result.stderr


def test_no_module_below_the_top_imports_from_the_bare_package() -> None:
    """`from townlet_core import Simulation` inside the library would go around the floors."""
    found = [
        _place(path, node.lineno)
        for path in SOURCES
        if path.is_relative_to(ROOT / "townlet_core")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "townlet_core" and path.parent.name != "townlet_core"
    ]
    assert not found


def test_definitions_load_without_torch() -> None:
    code = "import sys, pipelines.definitions; sys.exit('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr or "importing pipelines.definitions imported torch"


def test_public_names_say_what_they_are_for() -> None:
    names = list(_named())
    bare = [name.place for name in names if not name.documented]
    assert len(bare) <= (1 - DOCSTRING_SHARE) * len(names), "\n".join(bare)


def test_functions_are_short() -> None:
    lengths = _function_lengths()
    p90 = lengths[int(0.9 * (len(lengths) - 1))][0]
    too_long = [f"{lines} lines: {place}" for lines, place in lengths if lines > MAX_FUNCTION_LINES]
    assert not too_long
    assert p90 <= P90_FUNCTION_LINES


def test_files_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not [f"{count} lines: {path}" for path, count in lines.items() if count >= MAX_FILE_LINES]


def test_modules_have_names_that_say_something() -> None:
    assert not [str(path) for path in SOURCES if VAGUE_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)]


def test_dagster_can_read_the_annotations() -> None:
    """Dagster resolves the annotations of assets at import; postponed ones break it."""
    postponed = re.compile(r"^from __future__ import .*\bannotations\b", re.MULTILINE)
    upper = [path for path in SOURCES if not path.is_relative_to(ROOT / "townlet_core")]
    assert not [str(path) for path in upper if postponed.search(path.read_text(encoding="utf-8"))]


def test_nothing_committed_belongs_to_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {sign.search(path.read_bytes())}"
        for path in _committed()
        for sign in MACHINE_SIGNS
        if sign.search(path.read_bytes())
    ]
    assert not found


def test_nothing_that_a_run_produces_is_committed() -> None:
    produced = [path for path in _committed() if path.is_relative_to(ROOT / "data")]
    assert produced == [ROOT / "data" / "dagster" / "dagster.yaml"]


def test_the_lock_pins_every_dependency_to_a_plain_version() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)]
    pinned = {_plain(line.split("==")[0]): line.split("==")[1] for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {_plain(re.split(r"[><=!\[]", name)[0]) for name in asked} <= set(pinned)
    assert pinned["torch"] == "2.13.0"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_configuration_file_loads(path: Path) -> None:
    assert check_config(path).facts


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
