"""What identifies a configuration or a record: the digest of its canonical JSON."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from townlet_core.config.town import TownConfig

_VARIANT_AND_NUMBER = re.compile(r"^(?P<name>.+?)(?:-(?P<variant>full|hybrid|compact))?(?:-(?P<number>\d+))?$")


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


def canonical_json(obj: Any) -> bytes:
    """Write a value as the one JSON text that stands for it: sorted keys, no spaces, UTF-8.

    Args:
        obj: Plain JSON values, mappings or Pydantic models, nested as you like.

    Raises:
        TypeError: Something in it has no JSON form.
        ValueError: A number in it is not finite.
    """
    text = json.dumps(obj, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(obj: Any) -> str:
    """Give the SHA-256 of a value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(obj)).hexdigest()


def config_digest(config: TownConfig) -> str:
    """Give the digest of a town's whole configuration, map and affordances included."""
    return digest(config)


def id_with_variant(config_id: str, variant: str) -> str:
    """Give the id of a town that observes by `variant`: its name, the variant and a number, as `default-hybrid-1`.

    What an id lacks is added and a wrong variant replaced, so that a right id comes back as it is.
    """
    parts = _VARIANT_AND_NUMBER.match(config_id)
    name, number = (parts["name"], parts["number"] or "1") if parts else (config_id, "1")
    return f"{name}-{variant}-{number}"
