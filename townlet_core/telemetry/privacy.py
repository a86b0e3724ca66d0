"""Citizens under a keyed hash instead of their name: the same citizen keeps the same pseudonym under the same key."""

import hashlib
import hmac
import os
from typing import NamedTuple

from townlet_core.config.telemetry import PrivacyRules
from townlet_core.errors import InputError

LEAST_KEY = 16
"""Characters below which a key could be found by trying."""

DIGITS = 16
"""Hex digits of a pseudonym: short enough to read, too many for two citizens ever to share one."""


class Identities(NamedTuple):
    """What citizens are called outside: their names, or pseudonyms when there is a key."""

    key: bytes | None

    @property
    def hidden(self) -> bool:
        """Whether names stay inside."""
        return self.key is not None

    def of(self, name: str) -> str:
        """Give the name by which the world outside knows a citizen."""
        if self.key is None:
            return name
        return f"citizen_{hmac.new(self.key, name.encode(), hashlib.sha256).hexdigest()[:DIGITS]}"

    def __repr__(self) -> str:
        """Say whether names are hidden, and never by what."""
        return f"Identities(hidden={self.hidden})"


def identities(rules: PrivacyRules) -> Identities:
    """Make what names citizens by the rules; the key is read from the environment and kept in memory alone.

    Raises:
        InputError: Privacy is on and the environment holds no key that is long enough.
    """
    if not rules.enabled:
        return Identities(None)
    key = os.environ.get(rules.key_env, "")
    if len(key) < LEAST_KEY:
        found = "is too short" if key else "is not set"
        raise InputError(
            f"privacy: the environment variable {rules.key_env} {found}; "
            f"set it to a secret of {LEAST_KEY} or more characters"
        )
    return Identities(key.encode())
