"""Whether everything that the records promise is there, down to the bytes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from townlet_core.datasets.derivations import named_objects
from townlet_core.datasets.reading import DecisionReader
from townlet_core.datasets.records import capture_from, curated_from
from townlet_core.datasets.schema import read_facts
from townlet_core.datasets.splitting import SIDES
from townlet_core.datasets.store import OBJECTS, PARQUET, Record, Store
from townlet_core.datasets.versions import CATALOGUE, read_catalogue, read_version, version_path
from townlet_core.errors import DataError
from townlet_core.files import TEMPORARY

FAIL, WARN, PASS = "FAIL", "WARN", "PASS"
SHARDED = ("captures/", "curated/", "versions/")
"""Folders whose records name shards of trajectories."""


class Finding(NamedTuple):
    """Something an audit found: `FAIL` is damage or loss, `WARN` is litter; `message` names the file and what to do."""

    severity: str
    message: str


class AuditReport(NamedTuple):
    """The result of an audit: how much was checked, and what was found."""

    objects: int
    records: int
    versions: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """`FAIL` if anything is damaged or lost, `WARN` if there is litter, else `PASS`."""
        found = {finding.severity for finding in self.findings}
        return FAIL if FAIL in found else WARN if WARN in found else PASS


def audit(store: Store) -> AuditReport:
    """Read every record, verify every object that one names, and check every version and its catalogue entry.

    Nothing is changed. Objects that no record names and unfinished files are reported as litter.
    """
    records, findings = _read_records(store)
    promised = _named(record for path, record in records.items() if not path.startswith("derivations/"))
    remembered = _named(record["result"] for path, record in records.items() if path.startswith("derivations/"))
    shards = _named(record for path, record in records.items() if path.startswith(SHARDED))
    named = promised | remembered
    findings += [finding for name in sorted(named) for finding in _object(store, name, name in promised)]
    findings += [finding for name in sorted(shards) for finding in _shard(store, name)]
    findings += list(_versions(store, records))
    findings += list(_litter(store, named))
    versions = sum(path.startswith("versions/") for path in records)
    return AuditReport(len(named), len(records), versions, tuple(findings))


def _read_records(store: Store) -> tuple[dict[str, Record], list[Finding]]:
    records, findings = {}, []
    for path in store.records():
        try:
            record = store.read_record(path)
            _require_known_form(path, record)
            records[path] = record
        except DataError as error:
            findings.append(Finding(FAIL, str(error)))
    return records, findings


def _require_known_form(path: str, record: Record) -> None:
    if path.startswith("captures/"):
        capture_from(record, path)
    elif path.startswith("curated/"):
        curated_from(record, path)
    elif path.startswith("derivations/") and not isinstance(record.get("result"), dict):
        raise DataError(f"{path}: no derivation, 'result' is missing; delete it")


def _named(records: Iterable[Record]) -> set[str]:
    return {name for record in records for name in named_objects(record)}


def _object(store: Store, name: str, promised: bool) -> Iterator[Finding]:
    digest, _, suffix = name.partition(".")
    try:
        store.verify(digest, f".{suffix}")
    except DataError as error:
        yield Finding(FAIL if promised else WARN, str(error))


def _shard(store: Store, name: str) -> Iterator[Finding]:
    if not store.holds(name):
        return
    try:
        digest = name.removesuffix(PARQUET)
        read_facts(store.open(digest), str(store.object_path(digest)))
    except DataError as error:
        yield Finding(FAIL, str(error))


def _versions(store: Store, records: Iterable[str]) -> Iterator[Finding]:
    try:
        catalogue = read_catalogue(store)
    except DataError as error:
        yield Finding(FAIL, str(error))
        return
    stored = {path.removeprefix("versions/").removesuffix(".json") for path in records if path.startswith("versions/")}
    for version in sorted(stored | set(catalogue)):
        yield from _version(store, version, version in catalogue)


def _version(store: Store, version: str, catalogued: bool) -> Iterator[Finding]:
    if not catalogued:
        yield Finding(WARN, f"{store.path(version_path(version))}: not in {CATALOGUE}; build it again or delete it")
    try:
        manifest = read_version(store, version)
        for side in SIDES:
            _require_decisions(DecisionReader(manifest, store, side))
    except DataError as error:
        yield Finding(FAIL, str(error))


def _require_decisions(reader: DecisionReader) -> None:
    found = sum(len(batch.expert) for batch in reader)
    if found != len(reader):
        raise DataError(f"dataset: {found} decisions in its shards, {len(reader)} in its manifest; build it again")


def _litter(store: Store, named: set[str]) -> Iterator[Finding]:
    folder = store.root / OBJECTS
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name) if folder.is_dir() else []
    for entry in entries:
        if entry.name.startswith(TEMPORARY):
            yield Finding(WARN, f"{entry}: left by a run that died; delete it when nothing is running")
        elif entry.name not in named:
            yield Finding(WARN, f"{entry}: no record names it; delete it to free {entry.stat().st_size} bytes")
