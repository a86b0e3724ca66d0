"""A release bundle is whole or absent, has one digest for its content, and tells on whoever touched it."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from townlet_core.errors import DataError, TownletError
from townlet_core.release.bundle import Bundle, build_bundle
from townlet_core.release.environment import environment_lock
from townlet_core.release.verify import require_verified, verify_bundle

WEIGHTS = b"\x01\x02\x03\x04" * 1000
LINEAGE = json.dumps(
    {"nodes": {"candidate": {"in_bundle": {"policy/policy.safetensors": hashlib.sha256(WEIGHTS).hexdigest()}}}}
).encode()
CONTENT = {
    "README.md": b"# A town\n",
    "policy/policy.safetensors": WEIGHTS,
    "lineage.json": LINEAGE,
    "environment.lock": b"# CPython\n",
}


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return build_bundle(CONTENT, {"run_id": "one"}, tmp_path / "releases")


def problems(path: Path) -> list[str]:
    return [str(problem) for problem in verify_bundle(path).problems]


def test_an_untouched_bundle_verifies(bundle: Bundle) -> None:
    report = verify_bundle(bundle.path)
    assert report.ok
    assert report.files == len(CONTENT) + 1
    assert report.content_digest == bundle.content_digest


def test_a_flipped_byte_is_named(bundle: Bundle) -> None:
    target = bundle.path / "content/policy/policy.safetensors"
    target.write_bytes(b"\x00" + WEIGHTS[1:])
    (problem,) = problems(bundle.path)
    assert problem.startswith("content/policy/policy.safetensors: changed: sha256 ")


def test_a_missing_file_is_named(bundle: Bundle) -> None:
    (bundle.path / "content/environment.lock").unlink()
    assert problems(bundle.path) == ["content/environment.lock: missing: the manifest names this file"]


def test_an_extra_file_is_named(bundle: Bundle) -> None:
    (bundle.path / "content/policy/extra.bin").write_bytes(b"?")
    assert problems(bundle.path) == ["content/policy/extra.bin: extra: the manifest does not name this file"]


def test_a_link_in_place_of_a_file_is_refused_even_with_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    target = bundle.path / "content/README.md"
    shutil.move(target, tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    assert problems(bundle.path) == ["content/README.md: changed: not a plain file"]


def test_run_facts_that_were_edited_are_named(bundle: Bundle) -> None:
    (bundle.path / "run.json").write_text("{}")
    (problem,) = problems(bundle.path)
    assert problem.startswith("run.json: changed")


def test_a_manifest_may_not_reach_outside_its_bundle(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    document = json.loads(path.read_text())
    document["files"]["../../secret"] = {"sha256": "0" * 64, "bytes": 1}
    path.write_text(json.dumps(document))
    assert problems(bundle.path) == ["../../secret: refused: a manifest may only name files below the bundle"]


def test_a_manifest_whose_digest_was_changed_with_its_files_does_not_verify(bundle: Bundle) -> None:
    path = bundle.path / "manifest.json"
    document = json.loads(path.read_text())
    document["content_digest"] = "f" * 64
    path.write_text(json.dumps(document))
    (problem,) = problems(bundle.path)
    assert problem.startswith("manifest.json: content_digest is ffffffffffff…, its files give")


def test_weights_that_the_lineage_does_not_know_are_named_even_if_the_manifest_agrees(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not what the lineage of candidate says"):
        build_bundle({**CONTENT, "policy/policy.safetensors": b"swapped"}, {}, tmp_path / "releases")
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_folder_without_a_manifest_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no manifest here"):
        verify_bundle(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other/9"}', '{"format": "townlet-bundle/1", "files": 3}']
)
def test_an_unreadable_manifest_is_bad_input(bundle: Bundle, text: str) -> None:
    (bundle.path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="not a readable manifest"):
        verify_bundle(bundle.path)


def test_the_digest_depends_on_the_content_and_not_on_the_run(tmp_path: Path, bundle: Bundle) -> None:
    again = build_bundle(CONTENT, {"run_id": "two", "host": "elsewhere"}, tmp_path / "other")
    changed = build_bundle({**CONTENT, "README.md": b"# A city\n"}, {"run_id": "one"}, tmp_path / "other")
    assert again.content_digest == bundle.content_digest
    assert changed.content_digest != bundle.content_digest


def test_the_same_content_keeps_the_bundle_that_is_there(tmp_path: Path, bundle: Bundle) -> None:
    before = (bundle.path / "run.json").stat().st_mtime_ns
    again = build_bundle(CONTENT, {"run_id": "two"}, tmp_path / "releases")
    assert again.reused
    assert again.path == bundle.path
    assert (bundle.path / "run.json").stat().st_mtime_ns == before


def test_a_damaged_bundle_is_replaced_by_a_whole_one(tmp_path: Path, bundle: Bundle) -> None:
    (bundle.path / "content/README.md").write_bytes(b"nonsense")
    again = build_bundle(CONTENT, {}, tmp_path / "releases")
    assert not again.reused
    assert require_verified(again.path).ok
    assert [p.name for p in (tmp_path / "releases").iterdir()] == [bundle.path.name]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TownletError, match="the disk is full; no bundle was written and nothing was left behind"):
        build_bundle(CONTENT, {}, tmp_path / "releases")
    assert list((tmp_path / "releases").iterdir()) == []


def test_a_part_that_is_not_there_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TownletError, match=r"absent\.parquet: No such file"):
        build_bundle({**CONTENT, "evaluation/x": tmp_path / "absent.parquet"}, {}, tmp_path / "releases")
    assert list((tmp_path / "releases").iterdir()) == []


def test_what_a_killed_build_left_is_swept_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / "releases" / ".staging-999999999"
    left.mkdir(parents=True)
    bundle = build_bundle(CONTENT, {}, tmp_path / "releases")
    assert [p.name for p in (tmp_path / "releases").iterdir()] == [bundle.path.name]


def test_the_environment_lock_follows_dependencies_and_no_extras() -> None:
    lock = environment_lock("pytest").splitlines()
    names = [line.split("==")[0] for line in lock[1:]]
    assert lock[0].startswith("# CPython 3.")
    assert "pluggy" in names
    assert "pytest" not in names
    assert "hypothesis" not in names
    assert names == sorted(names)
