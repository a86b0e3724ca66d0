"""Which curated days a dataset may be built from: all on disk that fit together, and the others with the reason."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from townlet_core.config import CurationRules
from townlet_core.datasets.records import CuratedRecord, read_curated
from townlet_core.datasets.store import Store
from townlet_core.datasets.versions import OF_THE_DATASET
from townlet_core.errors import DataError


class CuratedDays(NamedTuple):
    """Curated records that fit together, and by name (`low_money/2026-11-01`) why each other one was left out."""

    used: list[CuratedRecord]
    left_out: Mapping[str, str]


def curated_days(scenarios: Sequence[str], rules: CurationRules, store: Store) -> CuratedDays:
    """Find every curated day of these scenarios that fits the rules as they are now and the form of the newest day.

    A day that was curated by other rules, captured in another observation layout or recorded in another form does not
    stop a release: it is left out with its reason until it is captured and curated again.
    """
    found, left_out = _read(scenarios, store)
    newest = max((record.date for record in found.values()), default="")
    forms = {record.schema_fingerprint for record in found.values() if record.date == newest}
    for name, record in found.items():
        if reason := _misfit(record, rules, forms):
            left_out[name] = reason
    return CuratedDays([record for name, record in found.items() if name not in left_out], left_out)


def _read(scenarios: Sequence[str], store: Store) -> tuple[dict[str, CuratedRecord], dict[str, str]]:
    found, left_out = {}, {}
    for scenario in scenarios:
        for path in store.records(f"curated/{scenario}"):
            day = PurePosixPath(path).stem
            try:
                found[f"{scenario}/{day}"] = read_curated(store, scenario, day)
            except DataError as error:
                left_out[f"{scenario}/{day}"] = str(error)
    return found, left_out


def _misfit(record: CuratedRecord, rules: CurationRules, forms: set[str]) -> str | None:
    wanted = rules.model_dump(mode="json")
    other = [key for key, value in wanted.items() if key not in OF_THE_DATASET and record.rules.get(key) != value]
    if other:
        return f"curated by other rules ({', '.join(other)})"
    if record.schema_fingerprint not in forms:
        return "captured in another form than the newest day"
    return None
