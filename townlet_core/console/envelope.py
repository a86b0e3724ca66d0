"""The envelope of a command and of its result, and how both are written down."""

import json
import shlex
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import yaml
from pydantic import BaseModel, Field, SecretStr, ValidationError

from townlet_core.config.console import Role
from townlet_core.config.explain import first_problem
from townlet_core.config.fields import STRICT
from townlet_core.config.identity import canonical_json
from townlet_core.config.reading import schema_of

Code: TypeAlias = Literal[
    "usage", "invalid_args", "not_found", "conflict", "forbidden", "unsupported", "unauthorized", "internal"
]
LONGEST_LINE = 65_536
"""Characters of a command beyond which nobody can have meant it."""
ENVELOPE = ("cmd_id", "issuer", "mode", "token")
"""What may be typed as KEY=VALUE and belongs to the envelope, not to the arguments."""
POSITIONAL = "_"
"""Key of the arguments that were typed without a name, in the order in which they were typed."""


class CommandError(Exception):
    """A command that was not done: its code, the sentence about it, and what else there is to know."""

    def __init__(self, code: Code, message: str, **details: Any) -> None:
        """Say why, in one line for the person who gave the command."""
        super().__init__(message)
        self.code, self.details = code, details


class Command(BaseModel):
    """One command. `mode` may only lower what its giver may do; with a `cmd_id` it is done once however often it comes.

    The token is shown to nobody: no result, no audit and no error repeats it.
    """

    model_config = STRICT
    name: str = Field(min_length=1, max_length=60)
    args: dict[str, Any] = Field(default_factory=dict)
    cmd_id: str | None = Field(default=None, min_length=1, max_length=120)
    issuer: str | None = Field(default=None, min_length=1, max_length=60)
    mode: Role | None = None
    token: Annotated[SecretStr, Field(max_length=1000)] | None = None

    @property
    def fingerprint(self) -> bytes:
        """What makes it the same command again."""
        return canonical_json({"name": self.name, "args": self.args})


class Result(NamedTuple):
    """What became of a command.

    Attributes:
        name: The command's.
        status: ok or error.
        result: What it found or did; None when it was not done.
        error: Code, message and details; None when it was done.
        cmd_id: The command's.
        issuer: Who gave it, as the console knows them.
        tick: The tick after which it was done.
        latency_ms: How long it took, measured.
    """

    name: str
    status: Literal["ok", "error"]
    result: Any
    error: dict[str, Any] | None
    cmd_id: str | None
    issuer: str | None
    tick: int
    latency_ms: float

    def document(self) -> dict[str, Any]:
        """Give it as plain values, without the part that it lacks."""
        return {key: value for key, value in self._asdict().items() if key != ("result" if self.error else "error")}

    def line(self) -> str:
        """Write it as one line of JSON."""
        return json.dumps(self.document(), ensure_ascii=False, allow_nan=False)


def parse_command(line: str) -> Command:
    """Read a command: a JSON object, or words as typed: `setneed agent_1 hunger=0.4`.

    Raises:
        CommandError: It is neither; the message never repeats a token.
    """
    if len(line) > LONGEST_LINE:
        raise CommandError("usage", f"longer than {LONGEST_LINE} characters")
    if line.lstrip().startswith("{"):
        return read_command(_json(line))
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise CommandError("usage", f"{error}; type: NAME VALUE… KEY=VALUE…") from error
    if not words:
        raise CommandError("usage", "nothing; type: NAME VALUE… KEY=VALUE…, or help")
    args = _arguments(words[1:])
    return read_command(
        {"name": words[0], **{key: str(args.pop(key)) for key in ENVELOPE if key in args}, "args": args}
    )


def read_command(data: Any) -> Command:
    """Validate a command that came as plain values. Raises CommandError."""
    try:
        return Command.model_validate_json(canonical_json(data))
    except ValidationError as error:
        path, problem = first_problem(error, schema_of(Command))
        raise CommandError("usage", f"{path[0]}: {problem}" if path else problem) from error
    except (TypeError, ValueError) as error:
        raise CommandError("usage", "not plain values; send one JSON object") from error


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise CommandError("usage", "not JSON; send one JSON object to a line, or typed words") from error


def _arguments(words: list[str]) -> dict[str, Any]:
    args: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key.isidentifier():
            args[key] = _value(value)
        else:
            args.setdefault(POSITIONAL, []).append(_value(word))
    return args


def _value(text: str) -> Any:
    """Read a typed value: a number, true or false, a list or section in brackets; everything else is text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, bool | int | float | list | dict) else text
