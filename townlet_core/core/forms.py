"""The form of an array in words that a file can carry: what each field is called, how it is stored, and where."""

import re
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from townlet_core.errors import DataError

STORED = re.compile(r"[<|][biuf][1248]")
"""Little-endian numbers and truth values: nothing that could hold a Python object."""


class Field(NamedTuple):
    """One field of a record: its name, NumPy's word for its type, the shape of a field that is an array, its offset."""

    name: str
    stored: str
    shape: tuple[int, ...]
    offset: int


class Form(BaseModel):
    """How the elements of an array lie in memory; a plain array has one field without a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    itemsize: int
    fields: tuple[Field, ...]


def form_of(dtype: np.dtype[Any]) -> Form:
    """Describe a dtype of plain numbers or of records of them."""
    if dtype.fields is None:
        return Form(itemsize=dtype.itemsize, fields=(Field("", dtype.str, (), 0),))
    described = []
    for name in dtype.names or ():
        inner, offset = dtype.fields[name][:2]
        described.append(Field(name, inner.base.str, inner.shape, offset))
    return Form(itemsize=dtype.itemsize, fields=tuple(described))


def dtype_of(form: Form) -> np.dtype[Any]:
    """Rebuild the dtype that a form describes.

    Raises:
        DataError: The form holds anything but plain numbers, or its fields do not fit into it.
    """
    strange = [field.name for field in form.fields if not STORED.fullmatch(field.stored)]
    if strange:
        raise DataError(f"field {strange[0]!r} is not stored as a plain number")
    try:
        if [field.name for field in form.fields] == [""]:
            return np.dtype(form.fields[0].stored)
        return np.dtype(
            {
                "names": [field.name for field in form.fields],
                "formats": [(field.stored, field.shape) for field in form.fields],
                "offsets": [field.offset for field in form.fields],
                "itemsize": form.itemsize,
            }
        )
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        raise DataError(f"fields do not fit together ({error})") from error


def form_difference(found: Form, expected: Form) -> str | None:
    """Say what differs first between the form in a file and the form that this code uses, or None."""
    for index, (theirs, ours) in enumerate(zip_longest(found.fields, expected.fields)):
        if theirs != ours:
            return f"field {index} is {_shown(theirs)} in the file and {_shown(ours)} here"
    if found.itemsize != expected.itemsize:
        return f"an element has {found.itemsize} bytes in the file and {expected.itemsize} here"
    return None


def _shown(field: Field | None) -> str:
    if field is None:
        return "missing"
    size = "".join(f"[{length}]" for length in field.shape)
    return f"{field.name or 'the number'} {field.stored}{size} at {field.offset}"
