"""Who gives a command, and what they may do: decided by the token where authentication is on, never by the command."""

import hmac
from collections.abc import Sequence
from typing import NamedTuple

from townlet_core.config.console import ConsoleRules, Holder, Role
from townlet_core.console.envelope import Command, CommandError

RANK: dict[Role, int] = {"viewer": 0, "admin": 1}
ANYBODY = "anybody"
LOCAL = "local"


class Grant(NamedTuple):
    """Who gives a command, and the most that they may do."""

    issuer: str
    role: Role

    def allows(self, role: Role) -> bool:
        """Whether what needs a role may be done."""
        return RANK[self.role] >= RANK[role]


class Gatekeeper(NamedTuple):
    """Decides who gives a command.

    Attributes:
        rules: The console's rules.
        holders: Whoever may show a token (``token_holders``).
    """

    rules: ConsoleRules
    holders: Sequence[Holder]

    def admit(self, command: Command) -> Grant:
        """Say who gives a command and what they may do; a command's own `mode` can only lower it.

        Raises:
            CommandError: Authentication is on, and the token is missing or nobody's (unauthorized).
        """
        grant = self._by_token(command) if self.rules.auth.enabled else self._by_rules(command)
        if command.mode is not None and RANK[command.mode] < RANK[grant.role]:
            return Grant(grant.issuer, command.mode)
        return grant

    def _by_rules(self, command: Command) -> Grant:
        return Grant(command.issuer or LOCAL, self.rules.mode)

    def _by_token(self, command: Command) -> Grant:
        if command.token is None:
            if self.rules.auth.require_for_viewer:
                raise CommandError("unauthorized", "a token is needed; send it as 'token'")
            return Grant(ANYBODY, "viewer")
        shown = command.token.get_secret_value().encode()
        known = [holder for holder in self.holders if _equal(shown, holder)]
        if not known:
            raise CommandError("unauthorized", "this token is nobody's; ask for one")
        return Grant(known[0].label, known[0].role)


def _equal(shown: bytes, holder: Holder) -> bool:
    """Compare in the same time however much of a token is right; every holder is compared."""
    return hmac.compare_digest(shown, holder.token.get_secret_value().encode())
