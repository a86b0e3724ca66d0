"""Where a release comes from: every input by its digest, from the decision down to each captured shard."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from townlet_core.config import digest
from townlet_core.datasets.records import (
    CaptureRecord,
    CuratedRecord,
    as_record,
    capture_path,
    curated_path,
    read_capture,
    read_curated,
)
from townlet_core.datasets.store import Record, Store
from townlet_core.errors import DataError

FORMAT = "townlet-lineage/1"


@dataclass(frozen=True)
class Node:
    """One thing that a release was made from, or a stage of making it.

    Attributes:
        digest: what identifies it: of its record, its manifest or its description.
        facts: figures that say what it is (seed, rows, configuration digest …).
        inputs: names of the nodes it was made from.
        in_bundle: SHA-256 of each file below the bundle's `content/` that belongs to it.
        objects: names of its objects in the store of shards (`<sha256>.parquet`).
        records: digest of each of its records in that store, by path.
    """

    digest: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    in_bundle: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    records: Mapping[str, str] = field(default_factory=dict)


Nodes = dict[str, Node]


def dataset_nodes(manifest: Record, store: Store) -> Nodes:
    """The nodes from a dataset version down to every capture in it.

    Raises:
        DataError: a curated or captured record is missing, or is no longer the one that the version was built from.
    """
    nodes: Nodes = {}
    for parent in manifest["parents"]:
        curated = _curated(parent, store)
        capture = _capture(curated, store)
        nodes[f"curated/{curated.scenario}/{curated.date}"] = _curated_node(parent, curated)
        nodes[f"capture/{capture.scenario}/{capture.date}"] = _capture_node(capture)
    inputs = tuple(sorted(name for name in nodes if name.startswith("curated/")))
    return {**nodes, "dataset": _dataset_node(manifest, inputs)}


def to_document(nodes: Nodes) -> Record:
    """The nodes as plain data, for `lineage.json`."""
    return {"format": FORMAT, "nodes": {name: asdict(node) for name, node in sorted(nodes.items())}}


def from_document(document: Any, name: str) -> Nodes:
    """The nodes of a `lineage.json`.

    Raises:
        DataError: it is not a lineage of this format; `name` is what the message calls it.
    """
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")
        return {key: _node(value) for key, value in document["nodes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{name}: not a readable lineage ({error}); expected format {FORMAT!r}") from None


def _node(value: Mapping[str, Any]) -> Node:
    return Node(**{**value, "inputs": tuple(value["inputs"]), "objects": tuple(value["objects"])})


def _curated(parent: Mapping[str, str], store: Store) -> CuratedRecord:
    _, scenario, file = parent["record"].split("/")
    record = read_curated(store, scenario, file.removesuffix(".json"))
    if digest(as_record(record)) != parent["digest"]:
        raise DataError(
            f"{store.path(parent['record'])}: was curated again after the dataset was built; build it again"
        )
    return record


def _capture(curated: CuratedRecord, store: Store) -> CaptureRecord:
    record = read_capture(store, curated.scenario, curated.date)
    if (record.steps, record.events) != (curated.steps, curated.events):
        path = store.path(capture_path(curated.scenario, curated.date))
        raise DataError(f"{path}: was captured again since it was curated; materialise curated/{curated.scenario}")
    return record


def _capture_node(capture: CaptureRecord) -> Node:
    shown = ("scenario", "date", "seed", "towns", "agents", "ticks", "exploration", "policy", "rows", "config_digest")
    return Node(
        digest=digest(as_record(capture)),
        facts={name: getattr(capture, name) for name in (*shown, "code", "layout_digest")},
        objects=(capture.steps, capture.events),
        records={capture_path(capture.scenario, capture.date): digest(as_record(capture))},
    )


def _curated_node(parent: Mapping[str, str], curated: CuratedRecord) -> Node:
    return Node(
        digest=parent["digest"],
        facts={"accepted": len(curated.accepted), "rejected": len(curated.rejected), "rules": digest(curated.rules)},
        inputs=(f"capture/{curated.scenario}/{curated.date}",),
        records={curated_path(curated.scenario, curated.date): parent["digest"]},
    )


def _dataset_node(manifest: Record, inputs: tuple[str, ...]) -> Node:
    quality = manifest["quality"]
    facts = {name: quality[name] for name in ("episodes", "rows", "decisions", "rejected_episodes")}
    return Node(
        digest=manifest["id"],
        facts={**facts, "layout_digest": manifest["layout_digest"], "rules": digest(manifest["rules"])},
        inputs=inputs,
    )
