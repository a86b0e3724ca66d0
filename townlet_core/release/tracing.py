"""Follow a lineage and check every step of it: what is still there to the byte, what is missing, what has changed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from townlet_core.config import digest
from townlet_core.datasets.store import OBJECT_NAME, Store
from townlet_core.errors import DataError
from townlet_core.release.lineage import Node, Nodes, from_document
from townlet_core.release.manifest import CONTENT, MANIFEST, file_entry, read_manifest


class State(StrEnum):
    """What was found of a node: its bytes as recorded, not there, or other bytes."""

    VERIFIED = "verified"
    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True)
class Traced:
    """One node of a lineage after checking.

    Attributes:
        name: the node, for example `capture/ordinary_day/2026-11-01`.
        node: what the lineage says of it.
        state: what was found.
        problem: one line on what is wrong; empty when nothing is.
        run: the Dagster run and storage id of the materialisation that was shipped, when the bundle names them.
    """

    name: str
    node: Node
    state: State
    problem: str = ""
    run: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Trace:
    """A lineage from its root; every node is listed once, inputs after what was made from them."""

    root: str
    root_digest: str
    top: tuple[str, ...]
    nodes: Mapping[str, Traced]

    @property
    def ok(self) -> bool:
        """Whether every node was found to the byte."""
        return all(traced.state is State.VERIFIED for traced in self.nodes.values())

    def to_json(self) -> dict[str, Any]:
        """The trace as plain data, for scripts."""
        return {
            "root": self.root,
            "digest": self.root_digest,
            "ok": self.ok,
            "top": list(self.top),
            "nodes": {name: _plain(traced) for name, traced in self.nodes.items()},
        }


def find_bundle(name: str, releases: Path) -> Path | None:
    """The bundle that a folder name or the beginning of a content digest means; None when there is none.

    Raises:
        DataError: several bundles begin so.
    """
    if (Path(name) / MANIFEST).is_file():
        return Path(name)
    bundles = [path.parent for path in sorted(releases.glob(f"*/{MANIFEST}")) if not path.parent.name.startswith(".")]
    found = [bundle for bundle in bundles if read_manifest(bundle).content_digest.startswith(name)]
    if len(found) > 1:
        raise DataError(f"{name}: {len(found)} bundles below {releases} begin so; give more digits")
    return found[0] if found else None


def trace_bundle(bundle: Path, store: Store) -> Trace:
    """Follow a bundle's lineage to every capture and check each node against the bundle and the store of shards.

    Raises:
        DataError: the bundle has no readable manifest or lineage.
    """
    nodes = from_document(_read(bundle / CONTENT / "lineage.json"), f"{bundle}/{CONTENT}/lineage.json")
    runs = _read(bundle / "run.json").get("materializations", {})
    traced = _check(nodes, store, bundle, runs)
    return Trace(bundle.name, read_manifest(bundle).content_digest, _unused(nodes), traced)


def trace_nodes(root: str, nodes: Nodes, store: Store) -> Trace:
    """Check a lineage that is not in a bundle, for example that of a dataset version."""
    return Trace(root, nodes[root].digest, (root,), _check(nodes, store, None, {}))


def _check(nodes: Nodes, store: Store, bundle: Path | None, runs: Mapping[str, Any]) -> dict[str, Traced]:
    return {name: _traced(name, nodes[name], store, bundle, runs.get(name)) for name in _ordered(nodes)}


def _ordered(nodes: Nodes) -> list[str]:
    """Every node after those that were made from it."""
    ordered: list[str] = []

    def visit(name: str) -> None:
        if name not in ordered:
            for other in sorted(nodes):
                if name in nodes[other].inputs:
                    visit(other)
            ordered.append(name)

    for name in sorted(nodes):
        visit(name)
    return ordered


def _unused(nodes: Nodes) -> tuple[str, ...]:
    used = {name for node in nodes.values() for name in node.inputs}
    return tuple(sorted(set(nodes) - used))


def _traced(name: str, node: Node, store: Store, bundle: Path | None, run: Any) -> Traced:
    found = [*_bundle_states(node, bundle), *_object_states(node, store), *_record_states(node, store)]
    for state in (State.CHANGED, State.MISSING):
        problems = [problem for what, problem in found if what is state]
        if problems:
            return Traced(name, node, state, problems[0], run)
    return Traced(name, node, State.VERIFIED, run=run)


def _bundle_states(node: Node, bundle: Path | None) -> Iterator[tuple[State, str]]:
    for path, sha256 in node.in_bundle.items():
        target = (bundle or Path()) / CONTENT / path
        if not target.is_file():
            yield State.MISSING, f"{target}: missing"
        elif file_entry(target).sha256 != sha256:
            yield State.CHANGED, f"{target}: other bytes than the lineage names"


def _object_states(node: Node, store: Store) -> Iterator[tuple[State, str]]:
    for name in node.objects:
        match = OBJECT_NAME.fullmatch(name)
        path = store.object_path(match["digest"], match["suffix"]) if match else None
        if path is None or not path.exists():
            yield State.MISSING, f"{path or name}: missing"
        elif not store.holds(name):
            yield State.CHANGED, f"{path}: damaged, its bytes are not those of its name"


def _record_states(node: Node, store: Store) -> Iterator[tuple[State, str]]:
    for path, expected in node.records.items():
        if not store.has_record(path):
            yield State.MISSING, f"{store.path(path)}: missing"
        elif _record_digest(store, path) != expected:
            yield State.CHANGED, f"{store.path(path)}: another record than the one that was used"


def _record_digest(store: Store, path: str) -> str:
    try:
        return digest(store.read_record(path))
    except DataError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); `townlet release verify` says what else is wrong") from None
    return document if isinstance(document, dict) else {}


def _plain(traced: Traced) -> dict[str, Any]:
    node = traced.node
    return {
        "state": traced.state.value,
        "problem": traced.problem,
        "digest": node.digest,
        "facts": dict(node.facts),
        "inputs": list(node.inputs),
        "objects": list(node.objects),
        "run": traced.run,
    }
