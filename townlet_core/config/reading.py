"""Turns plain data with its places into a checked model; the first fault becomes one line at its place."""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from townlet_core.config.documents import Document
from townlet_core.config.explain import first_problem
from townlet_core.config.identity import canonical_json

Model = TypeVar("Model", bound=BaseModel)


def read_model(document: Document, model: type[Model]) -> Model:
    """Validate a document as a model; the first problem becomes a one-line ConfigError at its place."""
    try:
        return model.model_validate_json(canonical_json(document.data))
    except ValidationError as error:
        path, problem = first_problem(error, schema_of(model))
        raise document.error(path, problem) from error


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Give a model's JSON Schema."""
    return model.model_json_schema()
