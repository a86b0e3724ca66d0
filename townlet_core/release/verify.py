"""Verify a release bundle offline: every byte against the manifest, every part against the lineage it claims."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from townlet_core.errors import DataError
from townlet_core.release.manifest import (
    CONTENT,
    MANIFEST,
    Manifest,
    content_digest,
    file_entry,
    read_manifest,
    walk_files,
)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a bundle: the path it concerns and what is wrong there."""

    path: str
    what: str

    def __str__(self) -> str:
        """The problem as one line for a person."""
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class VerifyReport:
    """What the verification of one bundle found; `ok` only if nothing at all is wrong."""

    bundle: Path
    content_digest: str
    files: int
    bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether the bundle is exactly what its manifest says."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, for scripts."""
        return {
            "bundle": str(self.bundle),
            "ok": self.ok,
            "content_digest": self.content_digest,
            "files": self.files,
            "bytes": self.bytes,
            "problems": [{"path": p.path, "what": p.what} for p in self.problems],
        }


def verify_bundle(bundle: Path) -> VerifyReport:
    """Compare a bundle folder with its manifest and its parts with one another. Needs no network and no other file.

    Args:
        bundle: the folder that holds `manifest.json` and `content/`.

    Returns:
        The report; a damaged bundle is a report with problems, not an exception.

    Raises:
        DataError: there is no readable manifest, so there is nothing to verify against.
    """
    manifest = read_manifest(bundle)
    problems = [*_byte_problems(bundle, manifest), *_digest_problems(manifest)]
    # Parts are compared only when their bytes are right: otherwise one flipped byte would be reported twice.
    problems = problems or _part_problems(bundle)
    total = sum(entry.bytes for entry in manifest.files.values())
    return VerifyReport(bundle, manifest.content_digest, len(manifest.files), total, tuple(problems))


def _byte_problems(bundle: Path, manifest: Manifest) -> Iterator[Problem]:
    present = set(walk_files(bundle)) - {MANIFEST}
    for path in sorted(present | set(manifest.files)):
        if what := _file_problem(bundle, path, path in present, manifest):
            yield Problem(path, what)


def _file_problem(bundle: Path, path: str, present: bool, manifest: Manifest) -> str | None:
    if path not in manifest.files:
        return "extra: the manifest does not name this file"
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        return "refused: a manifest may only name files below the bundle"
    if not present:
        return "missing: the manifest names this file"
    if (bundle / path).is_symlink() or not (bundle / path).is_file():
        return "changed: not a plain file"
    return _content_problem(bundle / path, manifest.files[path])


def _content_problem(path: Path, expected: tuple[str, int]) -> str | None:
    found = file_entry(path)
    if found == expected:
        return None
    return f"changed: sha256 {found.sha256[:12]}… of {found.bytes} bytes, expected {expected[0][:12]}… of {expected[1]}"


def _digest_problems(manifest: Manifest) -> Iterator[Problem]:
    computed = content_digest(manifest.files)
    if computed != manifest.content_digest:
        what = f"content_digest is {manifest.content_digest[:12]}…, its files give {computed[:12]}…"
        yield Problem(MANIFEST, what)


def _part_problems(bundle: Path) -> list[Problem]:
    try:
        nodes = json.loads((bundle / CONTENT / "lineage.json").read_bytes())["nodes"]
        return [problem for name, node in nodes.items() for problem in _node_problems(bundle, name, node["in_bundle"])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [Problem(f"{CONTENT}/lineage.json", f"not a readable lineage ({error})")]


def _node_problems(bundle: Path, name: str, in_bundle: Mapping[str, str]) -> Iterator[Problem]:
    for path, sha256 in in_bundle.items():
        target = bundle / CONTENT / path
        if not target.is_file():
            yield Problem(f"{CONTENT}/{path}", f"missing: the lineage of {name} names this file")
        elif file_entry(target).sha256 != sha256:
            yield Problem(f"{CONTENT}/{path}", f"is not what the lineage of {name} says ({sha256[:12]}…)")


def require_verified(bundle: Path) -> VerifyReport:
    """Verify a bundle and insist that nothing is wrong.

    Raises:
        DataError: something is; the message is the first problem and how many more there are.
    """
    report = verify_bundle(bundle)
    if not report.ok:
        more = f" (and {len(report.problems) - 1} more)" if len(report.problems) > 1 else ""
        raise DataError(f"{bundle}/{report.problems[0]}{more}")
    return report
