"""Reading what was recorded: a model from its JSON record, or one line on what is wrong with it."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from townlet_core.config import canonical_json
from townlet_core.datasets.store import Store
from townlet_core.errors import DataError

Recorded = TypeVar("Recorded", bound=BaseModel)


def read_recorded(store: Store, place: str, model: type[Recorded], remedy: str) -> Recorded | None:
    """The record at a place of the store, or None when there is none.

    Args:
        store: Where records live.
        place: Path of the record below the store.
        model: What it must be.
        remedy: What to do about a damaged one, for the error.

    Raises:
        DataError: The record is damaged.
    """
    if not store.has_record(place):
        return None
    try:
        return model.model_validate_json(canonical_json(store.read_record(place)))
    except ValidationError as error:
        raise DataError(f"{store.path(place)}: {first_error(error)}; {remedy}") from error


def first_error(error: ValidationError) -> str:
    """The first thing that is wrong with a record, as KEY: MESSAGE."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "document"
    return f"{key}: {first['msg']}"
