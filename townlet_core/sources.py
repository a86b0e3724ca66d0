"""The digest of the library's own sources: what tells a result of this code from one of another."""

from functools import cache
from hashlib import sha256
from pathlib import Path

ENGINE = ("config", "kernels", "world", "agents", "scheduler", "lifecycle", "rewards", "observations", "core")
"""Packages whose sources decide what happens in a town; shards and snapshots record their digest."""


@cache
def source_digest(*packages: str) -> str:
    """Return the SHA-256 over the Python sources of packages of ``townlet_core`` (all of it when none is named).

    Args:
        packages: Names such as ``"world"``; the digest covers relative paths and contents, not times.
    """
    root = Path(__file__).resolve().parent
    folders = [root / name for name in packages] or [root]
    digest = sha256()
    for path in sorted(file for folder in folders for file in folder.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
