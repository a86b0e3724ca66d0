"""How kernels are compiled and where the compiled code is kept.

Numba notices a change in the file of a cached function but not in the functions it calls. The cache folder is
therefore named after a digest of the sources of every floor that holds kernels, so a stale kernel cannot run.
"""

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, overload

import numba

from townlet_core.kernels.linking import PartDispatcher, whole
from townlet_core.sources import ENGINE, source_digest

CACHES_KEPT = 4
_config: Any = numba.config


def cache_folder() -> Path:
    """Return the folder that holds the code compiled from exactly these sources."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "townlet" / "kernels"
    return Path(os.environ.get("TOWNLET_KERNEL_CACHE", default)) / source_digest(*ENGINE, "policy")[:16]


def prune_caches(folder: Path) -> None:
    """Delete the compiled code of all but the latest few versions of the sources."""
    if not folder.is_dir():
        return
    caches = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for stale in caches[:-CACHES_KEPT]:
        shutil.rmtree(stale, ignore_errors=True)


def _prepare_cache() -> None:
    folder = cache_folder()
    if not folder.is_dir():
        prune_caches(folder.parent)
    _config.CACHE_DIR = str(folder)


@overload
def kernel(function: Callable[..., Any]) -> Any: ...


@overload
def kernel(*, entry: bool = ..., inline: bool = ...) -> Callable[[Callable[..., Any]], Any]: ...


def kernel(function: Any = None, *, entry: bool = False, inline: bool = False) -> Any:
    """Compile a function of scalars, records and arrays to machine code.

    Kernels release the GIL, divide as NumPy does and never reorder floating-point arithmetic, so one source gives
    one history. They run without numba's reference counts: a step with observations is then 27 times quicker, and a
    kernel may neither allocate an array nor copy one onto another. With ``NUMBA_DISABLE_JIT=1`` the same function
    runs as plain Python.

    Args:
        function: The function to compile.
        entry: True for the few kernels that Python calls: their machine code, callees included, is cached on disk.
        inline: True for a function that returns records, which only exist inside their caller.
    """
    if function is None:
        return partial(kernel, entry=entry, inline=inline)
    if _config.DISABLE_JIT:
        return function
    options = {
        "nopython": True,
        "nogil": True,
        "error_model": "numpy",
        "inline": "always" if inline else "never",
        "_nrt": False,
    }
    return whole(function, options, cached=entry) if entry or inline else PartDispatcher(function, options)


_prepare_cache()
