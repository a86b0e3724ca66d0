"""Dataset versions: a small manifest whose id is the digest of its content, and the catalogue of all of them."""

from collections.abc import Iterable, Mapping, Sequence

from townlet_core.config import CurationRules, digest
from townlet_core.datasets.quality import quality_of, require_quality
from townlet_core.datasets.records import CuratedRecord, EpisodeVerdict, as_record, curated_path
from townlet_core.datasets.splitting import EpisodeKey, Shares, sides
from townlet_core.datasets.store import PARQUET, Record, Store
from townlet_core.errors import DataError, RefusedError

CATALOGUE = "versions.json"
MANIFEST_FORMAT = 2
ACTIVE, DEPRECATED = "active", "deprecated"
OF_THE_DATASET = ("holdout_share", "validation_share", "window_days")
"""Rules that concern a dataset and no single episode."""

Judged = Sequence[tuple[CuratedRecord, list[EpisodeVerdict]]]
"""Curated records, each with the verdicts that hold within the dataset."""


def build_version(curated: Iterable[CuratedRecord], rules: CurationRules, store: Store) -> Record:
    """Make a dataset version of the newest captures, store its manifest and enter it in the catalogue as active.

    The manifest has `id`, `format`, `shards` (object names, digests, rows, and per accepted episode its side),
    `rejected` (with reasons), `parents` (curated records and their digests), `rules`, `actions`, `quality`,
    `layout_digest` and `schema_fingerprint`. Nothing in it depends on when or where it was made.

    Args:
        curated: curated records, in any order; those outside the newest `rules.window_days` dates are left out.
        rules: the curation rules; they also bound the dataset as a whole.
        store: where the shards lie and the manifest goes.

    Raises:
        RefusedError: nothing was accepted, or too few actions, or a scenario with a single episode.
        DataError: the records differ in layout, schema or rules of curation, or a shard is missing or damaged.
    """
    newest = _newest(curated, rules.window_days)
    _require_one_form(newest)
    _require_these_rules(newest, rules)
    records = _without_duplicates(newest, rules)
    manifest = _manifest(records, rules)
    for shard in manifest["shards"]:
        store.verify(shard["digest"])
    write_version(store, manifest)
    return manifest


def version_id(manifest: Record) -> str:
    """The id that a manifest must have: the digest of its canonical form without the id."""
    return digest({key: value for key, value in manifest.items() if key != "id"})


def write_version(store: Store, manifest: Record) -> None:
    """Store a manifest under its id and enter it in the catalogue as the newest.

    A new version is active; one that is known already keeps its status, so that building it again revives nothing.
    """
    store.write_record(version_path(manifest["id"]), manifest)
    with store.exclusive():
        catalogue = read_catalogue(store)
        entry = catalogue.pop(manifest["id"], {"status": ACTIVE, "note": ""})
        catalogue[manifest["id"]] = entry
        store.write_record(CATALOGUE, {"versions": _listed(catalogue)})


def find_version(store: Store, start: str) -> str:
    """The id of the one known version that begins so. Raises DataError if there is none, or more than one."""
    catalogue = read_catalogue(store)
    found = [version for version in catalogue if version.startswith(start)]
    if len(found) != 1:
        known = ", ".join(version[:12] for version in catalogue) or "none"
        told = f"{len(found)} versions begin so; give more digits" if found else f"no such version; known are {known}"
        raise DataError(f"{start}: {told} ({store.path(CATALOGUE)})")
    return found[0]


def deprecate(store: Store, version: str, note: str) -> None:
    """Mark a version as one that should not be used any more, and say why. Raises DataError for an unknown version."""
    with store.exclusive():
        catalogue = read_catalogue(store)
        if version not in catalogue:
            known = ", ".join(catalogue) or "none"
            raise DataError(f"{store.path(CATALOGUE)}: no version {version}; known are {known}")
        catalogue[version] = {"status": DEPRECATED, "note": note}
        store.write_record(CATALOGUE, {"versions": _listed(catalogue)})


def read_catalogue(store: Store) -> dict[str, Record]:
    """Every known version, oldest first, with `status` and `note`. Raises DataError when the catalogue is damaged."""
    if not store.has_record(CATALOGUE):
        return {}
    versions = store.read_record(CATALOGUE).get("versions")
    if not isinstance(versions, list) or not all(isinstance(entry, dict) and "id" in entry for entry in versions):
        raise DataError(f"{store.path(CATALOGUE)}: 'versions' is no list of versions; restore it or delete it")
    return {entry["id"]: {key: value for key, value in entry.items() if key != "id"} for entry in versions}


def read_version(store: Store, version: str = "latest") -> Record:
    """The manifest of a version by its id, or of the newest active one.

    Raises:
        DataError: there is no such version, or the manifest is not what its id says.
    """
    name = _latest(store) if version == "latest" else version
    path = store.path(version_path(name))
    manifest = store.read_record(version_path(name))
    if manifest.get("id") != name or version_id(manifest) != name:
        raise DataError(f"{path}: content does not match its id; delete it and build the version again")
    return manifest


def version_path(version: str) -> str:
    """Where a version's manifest lies in the store."""
    return f"versions/{version}.json"


def episode_keys(manifest: Record, side: str) -> list[EpisodeKey]:
    """The episodes on one side of a version (`train`, `validation` or `holdout`), in the manifest's order."""
    return [
        EpisodeKey(shard["scenario"], shard["date"], episode["episode"])
        for shard in manifest["shards"]
        for episode in shard["episodes"]
        if episode["side"] == side
    ]


def _newest(curated: Iterable[CuratedRecord], dates: int) -> list[CuratedRecord]:
    records = sorted(curated, key=lambda record: (record.scenario, record.date))
    kept = set(sorted({record.date for record in records})[-dates:])
    return [record for record in records if record.date in kept]


def _without_duplicates(records: Sequence[CuratedRecord], rules: CurationRules) -> Judged:
    seen: dict[str, str] = {}
    cleaned = []
    for record in records:
        verdicts = []
        for verdict in record.episodes:
            name = f"{record.scenario}/{record.date}/{verdict.episode}"
            first = seen.setdefault(verdict.fingerprint, name) if verdict.accepted else name
            verdicts.append(verdict if first == name or not rules.reject_duplicates else _rejected(verdict, first))
        cleaned.append((record, verdicts))
    return cleaned


def _rejected(verdict: EpisodeVerdict, first: str) -> EpisodeVerdict:
    reason = f"duplicate: the same as episode {first}; every episode once"
    return EpisodeVerdict(**vars(verdict) | {"reasons": [reason]})


def _require_one_form(records: Sequence[CuratedRecord]) -> None:
    if not records:
        raise RefusedError("dataset: no curated capture to build from; capture and curate a scenario first")
    first = records[0]
    for record in records:
        if record.schema_fingerprint != first.schema_fingerprint or record.action_names != first.action_names:
            other = curated_path(record.scenario, record.date)
            raise DataError(
                f"{other}: another observation layout or schema than {curated_path(first.scenario, first.date)}; "
                "capture both with the same code and configuration"
            )


def _require_these_rules(records: Sequence[CuratedRecord], rules: CurationRules) -> None:
    wanted = rules.model_dump(mode="json")
    for record in records:
        other = [key for key in wanted if key not in OF_THE_DATASET and record.rules.get(key) != wanted[key]]
        if other:
            place = curated_path(record.scenario, record.date)
            raise DataError(f"{place}: curated by other rules ({', '.join(other)}); curate this capture again")


def _manifest(records: Judged, rules: CurationRules) -> Record:
    first = records[0][0]
    quality = _quality(records, first.action_names)
    require_quality(quality, rules)
    keys = [EpisodeKey(r.scenario, r.date, v.episode) for r, verdicts in records for v in verdicts if v.accepted]
    side_of = sides(keys, Shares(rules.holdout_share, rules.validation_share))
    shards = [_shard(record, verdicts, side_of) for record, verdicts in records]
    manifest: Record = {
        "format": MANIFEST_FORMAT,
        "shards": [shard for shard in shards if shard["episodes"]],
        "rejected": [entry for record, verdicts in records for entry in _rejections(record, verdicts)],
        "parents": [_parent(record) for record, _ in records],
        "rules": rules.model_dump(mode="json"),
        "actions": first.action_names,
        "quality": quality,
        "layout_digest": first.layout_digest,
        "schema_fingerprint": first.schema_fingerprint,
    }
    return {"id": version_id(manifest), **manifest}


def _parent(record: CuratedRecord) -> Record:
    return {"record": curated_path(record.scenario, record.date), "digest": digest(as_record(record))}


def _quality(records: Judged, names: Sequence[str]) -> Record:
    accepted: dict[str, list[EpisodeVerdict]] = {record.scenario: [] for record, _ in records}
    rejected = dict.fromkeys(accepted, 0)
    for record, verdicts in records:
        accepted[record.scenario] += [verdict for verdict in verdicts if verdict.accepted]
        rejected[record.scenario] += sum(not verdict.accepted for verdict in verdicts)
    return quality_of(accepted, rejected, names)


def _shard(record: CuratedRecord, verdicts: Sequence[EpisodeVerdict], side_of: Mapping[EpisodeKey, str]) -> Record:
    episodes = [
        {
            "episode": verdict.episode,
            "side": side_of[EpisodeKey(record.scenario, record.date, verdict.episode)],
            "rows": verdict.rows,
            "decisions": verdict.decisions,
        }
        for verdict in verdicts
        if verdict.accepted
    ]
    return {
        "scenario": record.scenario,
        "date": record.date,
        "steps": record.steps,
        "events": record.events,
        "digest": record.steps.removesuffix(PARQUET),
        "rows": sum(verdict.rows for verdict in verdicts),
        "bytes": record.bytes,
        "config_digest": record.config_digest,
        "episodes": episodes,
    }


def _rejections(record: CuratedRecord, verdicts: Sequence[EpisodeVerdict]) -> list[Record]:
    return [
        {"scenario": record.scenario, "date": record.date, "episode": verdict.episode, "reasons": verdict.reasons}
        for verdict in verdicts
        if not verdict.accepted
    ]


def _latest(store: Store) -> str:
    active = [name for name, entry in read_catalogue(store).items() if entry.get("status") == ACTIVE]
    if not active:
        raise DataError(f"{store.path(CATALOGUE)}: no active dataset version; build one first")
    return active[-1]


def _listed(catalogue: dict[str, Record]) -> list[Record]:
    return [{"id": name, **entry} for name, entry in catalogue.items()]
