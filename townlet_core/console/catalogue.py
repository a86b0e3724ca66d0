"""The catalogue of commands: what each is called, who may give it, what it takes, and what does it."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from townlet_core.config.console import Role
from townlet_core.config.explain import first_problem, unknown_name
from townlet_core.config.fields import STRICT
from townlet_core.config.identity import canonical_json
from townlet_core.config.reading import schema_of
from townlet_core.console.desk import Desk
from townlet_core.console.envelope import POSITIONAL, CommandError

Citizen: TypeAlias = Annotated[str, Field(min_length=1, max_length=60)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
CITIZENS = ("agent", "other", "speaker", "listener")
"""Arguments that name a citizen."""
THINGS = ("object",)
"""Arguments that name an object."""


class Nothing(BaseModel):
    """A command without arguments."""

    model_config = STRICT


class Who(BaseModel):
    """A command about one citizen."""

    model_config = STRICT
    agent: Citizen


class Latest(BaseModel):
    """A command about the latest of something."""

    model_config = STRICT
    limit: Count = 10


class Spec(NamedTuple):
    """One command.

    Attributes:
        name: What it is called.
        role: Who may give it.
        about: What it does, in a sentence.
        model: Its arguments.
        run: Does it, and gives plain values.
        rest: The argument that takes what was typed as KEY=VALUE and is none of its own; empty for none.
    """

    name: str
    role: Role
    about: str
    model: type[BaseModel]
    run: Callable[[Desk, Any], Any]
    rest: str = ""

    @property
    def usage(self) -> str:
        """Write how it is typed."""
        words = [
            f"<{name}>" if field.is_required() else f"[{name}]"
            for name, field in self.model.model_fields.items()
            if name != self.rest
        ]
        return " ".join([self.name, *words, *(["KEY=VALUE…"] if self.rest else [])])

    def arguments(self, args: dict[str, Any]) -> Any:
        """Validate arguments, given by name or in the order of the usage.

        Raises:
            CommandError: Something in them is wrong (invalid_args).
        """
        data = self._named(args)
        try:
            return self.model.model_validate_json(canonical_json(data))
        except ValidationError as error:
            path, problem = first_problem(error, schema_of(self.model))
            where = ".".join(map(str, path))
            raise CommandError("invalid_args", f"{where}: {problem}" if where else problem, usage=self.usage) from error

    def names(self, args: Any, desk: Desk) -> None:
        """Check that every citizen and object that arguments name is one of the town's. Raises CommandError."""
        for field, value in args:
            if value is not None and field in CITIZENS:
                desk.citizen(value)
            elif value is not None and field in THINGS:
                desk.thing(value)

    def _named(self, args: dict[str, Any]) -> dict[str, Any]:
        data = dict(args)
        typed = data.pop(POSITIONAL, [])
        fields = [name for name in self.model.model_fields if name not in data and name != self.rest]
        if not isinstance(typed, list) or len(typed) > len(fields):
            raise CommandError("invalid_args", "too many values", usage=self.usage)
        data |= dict(zip(fields, typed, strict=False))
        if self.rest and self.rest not in data:
            loose = {key: data.pop(key) for key in list(data) if key not in self.model.model_fields}
            data[self.rest] = loose
        return data


def find(name: str, specs: dict[str, Spec]) -> Spec:
    """Find a command. Raises CommandError (not_found) with the one that was probably meant."""
    if name not in specs:
        raise CommandError("not_found", unknown_name("command", name, specs))
    return specs[name]
