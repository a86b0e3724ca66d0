"""Who may do what from the console: a file of its own, since nothing in it decides what happens in a town."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from townlet_core.config.documents import Document, KeyPath, read_document
from townlet_core.config.fields import STRICT, VariableName
from townlet_core.config.map_checks import Problem
from townlet_core.config.reading import read_model

Role: TypeAlias = Literal["viewer", "admin"]


class TokenRule(BaseModel):
    """Whoever shows the token is `label` and has the role; the token, or the environment variable that holds it."""

    model_config = STRICT
    label: str | None = Field(default=None, min_length=1, max_length=60)
    role: Role
    token: Annotated[SecretStr, Field(min_length=1, max_length=1000)] | None = None
    token_env: VariableName | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "TokenRule":
        if (self.token is None) == (self.token_env is None):
            raise PydanticCustomError("townlet", "exactly one of token and token_env")
        return self


class AuthRules(BaseModel):
    """Whether commands need a token: if `enabled`, the role is the token's; if not, the file's `mode` is everybody's.

    `require_for_viewer: false` lets whoever shows no token look on.
    """

    model_config = STRICT
    enabled: bool = False
    require_for_viewer: bool = True
    tokens: list[TokenRule] = Field(default_factory=list, max_length=100)


class ConsoleRules(BaseModel):
    """The console of a running town: what may be done without a token, who shows one, and where the audit is kept.

    `mode` is the role of whoever needs no token; `audit` is a file below the data folder, or nothing.
    """

    model_config = STRICT
    mode: Role = "viewer"
    auth: AuthRules = Field(default_factory=AuthRules)
    audit: Annotated[str, Field(min_length=1, max_length=4096)] | None = "logs/console.ndjson"


class Holder(NamedTuple):
    """Somebody who may show a token: what they are called, what they may do, and the token itself."""

    label: str
    role: Role
    token: SecretStr


def load_console(path: str | Path) -> ConsoleRules:
    """Load the rules of the console. Raises ConfigError; a token never stands in its message."""
    document = read_document(path)
    rules = read_model(document, ConsoleRules)
    for problem in _problems(rules):
        raise document.error(problem.path, problem.text)
    return rules


def token_holders(
    rules: ConsoleRules, environment: Mapping[str, str] = os.environ, document: Document | None = None
) -> list[Holder]:
    """Resolve the tokens; none when authentication is off.

    Args:
        rules: The rules of the console.
        environment: Where variables are looked up.
        document: The file, for the place that an error names.

    Raises:
        ConfigError: A variable is not set or empty, or two holders would show the same token.
    """
    holders: list[Holder] = []
    where = document or Document({}, {})
    for index, rule in enumerate(rules.auth.tokens if rules.auth.enabled else ()):
        path: KeyPath = ("auth", "tokens", index)
        secret = rule.token or SecretStr(environment.get(rule.token_env or "", ""))
        if not secret.get_secret_value().strip():
            raise where.error((*path, "token_env"), f"the variable {rule.token_env} is not set; set it to the token")
        if any(secret == other.token for other in holders):
            raise where.error(path, "the same token as an entry above; give everybody their own")
        label = rule.label or rule.token_env or f"{rule.role}_{index + 1}"
        holders.append(Holder(label, rule.role, secret))
    return holders


def _problems(rules: ConsoleRules) -> Iterator[Problem]:
    if rules.auth.enabled and not rules.auth.tokens:
        yield Problem(("auth", "enabled"), "nobody could do anything; add a token, or set enabled: false")
    for index, rule in enumerate(rules.auth.tokens):
        if rule.token is not None and not rule.token.get_secret_value().strip():
            yield Problem(("auth", "tokens", index, "token"), "is blank; write the token, or name token_env")
    if rules.audit is not None and (Path(rules.audit).is_absolute() or ".." in Path(rules.audit).parts):
        yield Problem(("audit",), "leads out of the data folder; name a file below it")
