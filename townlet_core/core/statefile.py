"""One file for a batch of towns: named arrays and a JSON header, checked to the byte, in which nothing is executed.

It is a safetensors file, so other tools can open it: each array is a run of bytes, and the one metadata entry
``townlet`` holds the header with the form and the SHA-256 of every array. The same content gives the same bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from upath import UPath

from townlet_core.config import canonical_json, digest
from townlet_core.core.forms import Form, dtype_of, form_of
from townlet_core.errors import DataError
from townlet_core.files import write_whole

FORMAT = "townlet-snapshot"
ENTRY = "townlet"
LENGTH_BYTES = 8
MAX_BYTES = 4 << 30
"""No batch of towns of ours comes near; a larger file is refused before it is read."""

Arrays = Mapping[str, NDArray[Any]]


class StateFile(NamedTuple):
    """What a file holds: its header (``schema_version``, ``identity``, ``migrations``) and its arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    form: Form
    shape: tuple[NonNegativeInt, ...]
    sha256: str


def write_statefile(path: Path | str, stored: StateFile) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        DataError: It cannot be written; an older file of that name is untouched.
    """
    write_whole(UPath(path), encode(stored))


def read_statefile(path: Path | str) -> StateFile:
    """Read a file and check every byte of it.

    Raises:
        DataError: It is missing, truncated, damaged, or no snapshot.
    """
    return decode(_read(UPath(path)), str(path))


def encode(stored: StateFile) -> bytes:
    """Give the bytes of a file; the arrays are copied, so the towns that own them may go on."""
    raw = {name: np.frombuffer(array.tobytes(), np.uint8) for name, array in sorted(stored.arrays.items())}
    forms = {
        name: {
            "form": form_of(stored.arrays[name].dtype).model_dump(mode="json"),
            "shape": list(stored.arrays[name].shape),
            "sha256": hashlib.sha256(content.data).hexdigest(),
        }
        for name, content in raw.items()
    }
    body = {**stored.header, "format": FORMAT, "arrays": forms}
    sealed = canonical_json({"body": body, "sha256": digest(body)}).decode()
    return bytes(save_tensors(raw, metadata={ENTRY: sealed}))


def decode(content: bytes, source: str) -> StateFile:
    """Take a file apart; ``source`` names it in errors.

    Raises:
        DataError: The bytes are not exactly what a snapshot was written with.
    """
    body = _body(content, source)
    tensors = _tensors(content, source)
    forms = body.pop("arrays")
    if not isinstance(forms, dict) or forms.keys() != tensors.keys():
        raise _damaged(source, "its arrays are not those that its header names")
    arrays = {name: _array(tensors[name], forms[name], f"{source}: array {name}") for name in sorted(forms)}
    del body["format"]
    return StateFile(body, arrays)


def _read(path: UPath) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path}: larger than {MAX_BYTES >> 30} GiB; a snapshot takes well under 1 MB a town")
        return bytes(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; name a snapshot") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _body(content: bytes, source: str) -> dict[str, Any]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if len(content) < LENGTH_BYTES or length > len(content) - LENGTH_BYTES:
        raise _damaged(source, "it ends before its header does")
    try:
        sealed = json.loads(json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])["__metadata__"][ENTRY])
        body, seal = sealed["body"], sealed["sha256"]
        sound = isinstance(body, dict) and body["format"] == FORMAT and digest(body) == seal
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{source}: not a Townlet snapshot, or a damaged one; name a file of saved towns") from error
    if not sound or "arrays" not in body:
        raise _damaged(source, "its header is not the one it was written with")
    return dict(body)


def _tensors(content: bytes, source: str) -> dict[str, NDArray[Any]]:
    try:
        return dict(load_tensors(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(source, f"it is truncated or its table of arrays is wrong ({error})") from error


def _array(raw: NDArray[Any], described: Any, where: str) -> NDArray[Any]:
    try:
        stored = _Stored.model_validate(described)
        dtype = dtype_of(stored.form)
    except ValidationError as error:
        raise _damaged(where, f"its description is wrong ({error.errors()[0]['msg']})") from error
    except DataError as error:
        raise _damaged(where, str(error)) from error
    if hashlib.sha256(raw.data).hexdigest() != stored.sha256:
        raise _damaged(where, "its bytes are not those it was written with")
    if raw.nbytes != dtype.itemsize * int(np.prod(stored.shape, dtype=object)):
        raise _damaged(where, "its size is not that of its shape")
    array: NDArray[Any] = raw.reshape(-1).view(dtype).reshape(stored.shape)
    return array


def _damaged(where: str, what: str) -> DataError:
    return DataError(f"{where}: damaged: {what}; restore the file or save the towns again")
