"""An audit passes what is whole, fails what is damaged or lost, warns of litter, and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from townlet_core.datasets import Store, audit, derive
from townlet_core.datasets.versions import version_id


def messages(store: Store, severity: str) -> list[str]:
    return [finding.message for finding in audit(store).findings if finding.severity == severity]


def test_a_whole_store_passes(pristine: Any) -> None:
    report = audit(pristine.store)
    assert (report.verdict, report.findings) == ("PASS", ())
    assert (report.objects, report.versions) == (4, 1)
    assert report.records == len(pristine.store.records())


def test_an_empty_store_passes(tmp_path: Any) -> None:
    assert audit(Store(tmp_path / "nothing")).verdict == "PASS"
    assert not (tmp_path / "nothing").exists()


def test_a_damaged_shard_fails_by_name(line: Any) -> None:
    path = line.store.object_path(line.captures[0].digest)
    path.write_bytes(path.read_bytes()[:-1])
    report = audit(line.store)
    assert report.verdict == "FAIL"
    assert any(f"{path.name}: damaged" in message for message in messages(line.store, "FAIL"))


def test_a_shard_with_a_figure_that_is_no_number_fails_by_file_and_column(
    line: Any, rewrite: Callable[..., None], tmp_path: Path
) -> None:
    """The bytes are those of their digest, and the manifest names them: only who reads them sees it."""
    shard = line.manifest["shards"][0]
    rewrite(line.store.object_path(shard["digest"]), tmp_path / "sour", "reward", 0, np.nan)
    digest = line.store.put_bytes((tmp_path / "sour").read_bytes(), ".parquet")
    first = {**shard, "digest": digest, "steps": f"{digest}.parquet"}
    manifest = {**line.manifest, "shards": [first, *line.manifest["shards"][1:]]}
    manifest["id"] = version_id(manifest)
    line.store.write_record(f"versions/{manifest['id']}.json", manifest)
    assert audit(line.store).verdict == "FAIL"
    (told,) = messages(line.store, "FAIL")
    assert f"{digest}.parquet: NaN or infinity in 'reward', episode 0" in told


def test_a_lost_events_shard_fails_by_name(line: Any) -> None:
    path = line.store.object_path(line.captures[0].events_digest)
    path.unlink()
    assert messages(line.store, "FAIL") == [f"{path}: missing; restore the file or run the step that made it again"]


@pytest.mark.parametrize(
    "record", ["captures/low_money/2026-11-01.json", "curated/low_money/2026-11-01.json", "versions.json"]
)
def test_a_damaged_record_fails_by_name(line: Any, record: str) -> None:
    path = line.store.path(record)
    path.write_bytes(path.read_bytes()[:-5])
    assert any(f"{record}: not a readable record" in message for message in messages(line.store, "FAIL"))


def test_a_manifest_that_was_edited_fails(line: Any) -> None:
    place = f"versions/{line.manifest['id']}.json"
    line.store.write_record(place, line.manifest | {"rules": {"min_ticks": 1}})
    assert messages(line.store, "FAIL") == [
        f"{line.store.path(place)}: content does not match its id; delete it and build the version again"
    ]


def test_a_catalogued_version_without_a_manifest_fails(line: Any) -> None:
    line.store.path(f"versions/{line.manifest['id']}.json").unlink()
    assert [message.split(": ", 1)[1] for message in messages(line.store, "FAIL")] == [
        "missing; make it with: townlet curate"
    ]


def test_a_manifest_outside_the_catalogue_is_litter(line: Any) -> None:
    line.store.write_record("versions.json", {"versions": []})
    assert audit(line.store).verdict == "WARN"
    assert "not in versions.json" in messages(line.store, "WARN")[0]


def test_objects_that_nobody_names_and_unfinished_files_are_litter(line: Any) -> None:
    digest = line.store.put_bytes(b"forgotten", ".parquet")
    (line.store.root / "objects" / ".tmp-0123").write_bytes(b"half")
    report = audit(line.store)
    assert report.verdict == "WARN"
    unfinished, forgotten = messages(line.store, "WARN")
    assert ".tmp-0123: left by a run that died" in unfinished
    assert f"{digest}.parquet: no record names it" in forgotten


def test_an_object_that_only_an_old_derivation_names_is_no_failure(line: Any) -> None:
    old = derive(line.store, "old", {}, lambda: {"file": line.store.put_bytes(b"old", ".bin") + ".bin"}, code="0")
    (line.store.root / "objects" / old.record["file"]).unlink()
    assert audit(line.store).verdict == "WARN"
