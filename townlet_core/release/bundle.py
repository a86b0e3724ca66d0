"""Write a release bundle: staged beside its place, verified, and renamed into it only when it is whole."""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from townlet_core.errors import TownletError
from townlet_core.release.manifest import CONTENT, MANIFEST, Manifest, manifest_bytes, scan
from townlet_core.release.verify import require_verified, verify_bundle

RUN_FACTS = "run.json"
_STAGING = ".staging-"
_DIGITS = 16

Part = Path | bytes


@dataclass(frozen=True)
class Bundle:
    """A release bundle on disk: where it is, the digest of its content, and whether it had been there already."""

    path: Path
    content_digest: str
    files: int
    bytes: int
    reused: bool


def bundle_path(releases: Path, content_digest: str) -> Path:
    """Where the bundle with this content digest belongs: the same content always has the same folder."""
    return releases / f"townlet-{content_digest[:_DIGITS]}"


def build_bundle(content: Mapping[str, Part], run_facts: Mapping[str, Any], releases: Path) -> Bundle:
    """Write a bundle and give it its place under `releases`.

    Args:
        content: what goes under `content/`, by path; a part is bytes, or a file to copy.
        run_facts: facts about the run that made it (times, host, run ids); kept in `run.json`, outside the digest.
        releases: the folder of all bundles.

    Returns:
        The bundle. Where the same content is there already and verifies, that bundle is kept untouched.

    Raises:
        TownletError: the bundle could not be written (the disk is full, a part is missing); nothing is left behind.
        DataError: what was written does not verify.
    """
    with _staging(releases) as staging:
        try:
            manifest = _write(content, run_facts, staging)
            require_verified(staging)
            return _publish(staging, manifest, releases)
        except OSError as error:
            raise TownletError(_explain(error, releases)) from error


@contextmanager
def _staging(releases: Path) -> Iterator[Path]:
    staging = releases / f"{_STAGING}{os.getpid()}"
    try:
        releases.mkdir(parents=True, exist_ok=True)
        _sweep(releases)
        staging.mkdir()
    except OSError as error:
        raise TownletError(_explain(error, releases)) from error
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _sweep(releases: Path) -> None:
    """Remove what builds left that were killed: a killed process cannot clean up after itself."""
    for left in releases.glob(f"{_STAGING}*"):
        if not _alive(left.name.removeprefix(_STAGING)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: str) -> bool:
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(content: Mapping[str, Part], run_facts: Mapping[str, Any], staging: Path) -> Manifest:
    for path, part in content.items():
        _write_part(staging / CONTENT / path, part)
    facts = json.dumps(run_facts, indent=1, sort_keys=True, default=str) + "\n"
    _write_part(staging / RUN_FACTS, facts.encode())
    manifest = scan(staging)
    _write_part(staging / MANIFEST, manifest_bytes(manifest))
    return manifest


def _write_part(target: Path, part: Part) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        if isinstance(part, bytes):
            stream.write(part)
        else:
            with part.open("rb") as source:
                shutil.copyfileobj(source, stream)
        stream.flush()
        os.fsync(stream.fileno())


def _publish(staging: Path, manifest: Manifest, releases: Path) -> Bundle:
    target = bundle_path(releases, manifest.content_digest)
    reused = target.exists() and _is_whole(target, manifest.content_digest)
    if not reused:
        _replace(staging, target)
    total = sum(entry.bytes for entry in manifest.files.values())
    return Bundle(target, manifest.content_digest, len(manifest.files), total, reused)


def _is_whole(target: Path, content_digest: str) -> bool:
    try:
        report = verify_bundle(target)
    except TownletError:
        return False
    return report.ok and report.content_digest == content_digest


def _replace(staging: Path, target: Path) -> None:
    if target.exists():
        os.replace(target, staging.with_name(f"{staging.name}-damaged"))
        shutil.rmtree(staging.with_name(f"{staging.name}-damaged"), ignore_errors=True)
    os.replace(staging, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _explain(error: OSError, releases: Path) -> str:
    if error.errno == errno.ENOSPC:
        left = "no bundle was written and nothing was left behind"
        return f"{releases}: the disk is full; {left}; free some space and run the step again"
    return f"{error.filename or releases}: {error.strerror or error}; no bundle was written and nothing was left behind"
