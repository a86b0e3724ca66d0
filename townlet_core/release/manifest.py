"""The manifest of a release bundle: every file with its digest, and one digest for the content as a whole."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from townlet_core.errors import DataError

FORMAT = "townlet-bundle/1"
MANIFEST = "manifest.json"
CONTENT = "content"
_CHUNK = 1 << 20


class FileEntry(NamedTuple):
    """What a manifest says of one file: the SHA-256 of its bytes (hex) and how many bytes there are."""

    sha256: str
    bytes: int


class Manifest(NamedTuple):
    """All files of a bundle by their path below it (forward slashes), and the digest of those under `content/`."""

    files: Mapping[str, FileEntry]
    content_digest: str


def file_entry(path: Path) -> FileEntry:
    """Digest and size of one file, read in pieces.

    Raises:
        OSError: the file cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(digest.hexdigest(), size)


def content_digest(files: Mapping[str, FileEntry]) -> str:
    """The digest of a release: SHA-256 over the sorted `path NUL sha256 LF` lines of the files under `content/`.

    Paths are taken below `content/`; everything outside that folder is a fact about a run and does not count.
    """
    lines = sorted(
        f"{path.removeprefix(CONTENT + '/')}\0{entry.sha256}\n"
        for path, entry in files.items()
        if path.startswith(CONTENT + "/")
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def walk_files(root: Path) -> Iterator[str]:
    """Paths of everything below `root` that is no folder, sorted, with forward slashes; symbolic links included."""
    found = (p for p in root.rglob("*") if p.is_symlink() or not p.is_dir())
    return iter(sorted(p.relative_to(root).as_posix() for p in found))


def scan(root: Path) -> Manifest:
    """The manifest that the files below `root` would have now; the manifest file itself is left out.

    Raises:
        OSError: a file cannot be read.
    """
    files = {path: file_entry(root / path) for path in walk_files(root) if path != MANIFEST}
    return Manifest(files, content_digest(files))


def manifest_bytes(manifest: Manifest) -> bytes:
    """The manifest as indented JSON with sorted keys, so that the same files give the same bytes."""
    document = {
        "format": FORMAT,
        "content_digest": manifest.content_digest,
        "files": {path: entry._asdict() for path, entry in manifest.files.items()},
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def read_manifest(bundle: Path) -> Manifest:
    """Read the manifest of a bundle.

    Raises:
        DataError: there is none, or it is not a manifest of this format; the message names the file.
    """
    path = bundle / MANIFEST
    try:
        return _parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise DataError(f"{path}: no manifest here; give the folder of a release bundle") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not a readable manifest ({error}); expected format {FORMAT!r}") from None


def _parse(document: Any) -> Manifest:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r}")
    files = {
        str(path): FileEntry(str(entry["sha256"]), int(entry["bytes"])) for path, entry in document["files"].items()
    }
    return Manifest(files, str(document["content_digest"]))
