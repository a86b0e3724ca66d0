"""The published form of a frame: strict models, and the JSON Schema that is made from them."""

import json
from types import GenericAlias
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo

from townlet_core.config.fields import STRICT, Share
from townlet_core.errors import DataError

SCHEMA_VERSION = "1.3.0"
"""Version of the frames: the first number changes when readers must change, the second when something was added."""

Count = Annotated[int, Field(ge=0)]
Feeling = Annotated[float, Field(ge=-1.0, le=1.0)]
Trait = Literal["extroversion", "forgiveness", "ambition", "patience", "frugality"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class ClockState(BaseModel):
    """`tick` counts from midnight before the first day; `minute` is the tick of the day; days count from 1."""

    model_config = STRICT
    tick: Count
    day: Annotated[int, Field(ge=1)]
    minute: Count


class NeedsState(BaseModel):
    """1 is satisfied, 0 is desperate."""

    model_config = STRICT
    hunger: Share
    hygiene: Share
    energy: Share


class TieState(BaseModel):
    """What a citizen feels about another: distrust to trust, strangeness to familiarity, and rivalry."""

    model_config = STRICT
    trust: Feeling
    familiarity: Feeling
    rivalry: Share


class AgentState(BaseModel):
    """One citizen. `position` is column and row of the map; money in coins; `lateness` in minutes of this shift;
    `absences` are missed shifts of the latest seven days.

    `clothes` are 1 when new, null where they do not matter; `meeting` says whether one is called to a meeting.

    `ties` are by the other's name. They and `personality` are empty where relationships are off.
    """

    model_config = STRICT
    alive: bool
    position: Annotated[list[int], Field(min_length=2, max_length=2)]
    needs: NeedsState
    wallet: float
    ingredients: Count
    clothes: Share | None
    meeting: bool
    option: Name
    committed: bool
    phase: Name
    target: Name | None
    affordance: Name | None
    job: Name | None
    shift: Name
    lateness: Count
    employed: bool
    exit_pending: bool
    absences: Count
    conflicts: Count
    queue_waits: Count
    rent_unpaid: Count
    personality: dict[Trait, Share]
    ties: dict[Name, TieState]


class ObjectState(BaseModel):
    """One thing of the town: who has it, how many wait for it, what is left in it."""

    model_config = STRICT
    user: Name | None
    waiting: Count
    stock: int


class EconomyState(BaseModel):
    """The town's accounts in coins."""

    model_config = STRICT
    treasury: float
    supplier: float
    tills: list[float]
    prices: dict[Name, float]


class PerturbationState(BaseModel):
    """Something out of the ordinary that lasts: its name, the tick at which it ends, and where people meet for it."""

    model_config = STRICT
    name: Name
    until: Count
    place: Name | None


class KpiState(BaseModel):
    """Figures of the latest day; null where there was nothing to measure. `lateness` is in minutes per shift."""

    model_config = STRICT
    attendance: float | None
    conflicts: float | None
    lateness: float | None
    needs_ok_share: float | None
    queue_waits: float | None
    survival: float | None


class StateModel(BaseModel):
    """The whole state of a town after a tick."""

    model_config = STRICT
    clock: ClockState
    agents: dict[Name, AgentState]
    objects: dict[Name, ObjectState]
    weather: Name | None
    perturbations: dict[Annotated[str, Field(pattern=r"^[0-9]+$")], PerturbationState]
    economy: EconomyState
    utilities: dict[Name, bool]
    kpis: KpiState
    alerts: dict[Name, Count]
    events_dropped: Count


class RunFacts(BaseModel):
    """Which run and which of its towns a stream tells of; no seed where names are hidden, as it would tell them."""

    model_config = STRICT
    config_id: str
    config_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    seed: Count | None
    town: Count
    ticks_per_day: Count
    private: bool


class EventModel(BaseModel):
    """One event; `other` is the affordance of a use, the utility of an outage, otherwise the second citizen.

    `reason` is the precondition that kept a use from beginning, as the manifest has it.
    """

    model_config = STRICT
    tick: Count
    event: Name
    agent: Name | None
    object: Name | None
    other: Name | None
    value: float | None
    unit: str | None
    reason: str | None


class Sentence(BaseModel):
    """What the narrator said."""

    model_config = STRICT
    tick: Count
    category: Name
    priority: bool
    text: Annotated[str, Field(min_length=1, max_length=300)]


def _partial(model: type[BaseModel]) -> type[BaseModel]:
    """The same model with every key optional, at every depth: what a diff may set."""
    fields: dict[str, Any] = {
        name: (_partial_type(field), Field(default=None, json_schema_extra=_without_default))
        for name, field in model.model_fields.items()
    }
    name = f"{model.__name__.removesuffix('State').removesuffix('Model')}Changes"
    made: type[BaseModel] = create_model(name, __config__=STRICT, __doc__=model.__doc__, **fields)
    return made


def _partial_type(field: FieldInfo) -> Any:
    annotation = field.annotation
    if get_origin(annotation) is dict:
        key, value = get_args(annotation)
        return GenericAlias(dict, (key, _partial(value) if _is_model(value) else value))
    if _is_model(annotation):
        return _partial(cast(type[BaseModel], annotation))
    return Annotated[(annotation, *field.metadata)] if field.metadata else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _without_default(schema: dict[str, Any]) -> None:
    """A key that is left out means no change; it has no value of its own."""
    schema.pop("default", None)


StateChanges = _partial(StateModel)


class SnapshotFrame(BaseModel):
    """A whole state; a reader can begin here."""

    model_config = STRICT
    schema_version: Literal["1.3.0"]
    kind: Literal["snapshot"]
    seq: Count
    tick: Count
    run: RunFacts
    state: StateModel
    events: list[EventModel]
    narration: list[Sentence]


class DiffFrame(BaseModel):
    """What changed since the frame numbered before: `removed` is taken out first, then `changed` is laid over."""

    model_config = STRICT
    schema_version: Literal["1.3.0"]
    kind: Literal["diff"]
    seq: Count
    tick: Count
    changed: StateChanges  # type: ignore[valid-type]
    removed: list[Annotated[list[str], Field(min_length=1)]]
    events: list[EventModel]
    narration: list[Sentence]


Frame = Annotated[SnapshotFrame | DiffFrame, Field(discriminator="kind")]
_FRAMES: TypeAdapter[SnapshotFrame | DiffFrame] = TypeAdapter(Frame)


def schema_json() -> str:
    """Write the JSON Schema of a frame (one line of a stream), ready to publish."""
    schema = _FRAMES.json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = f"Townlet telemetry frame {SCHEMA_VERSION}"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def checked_frame(line: bytes | str) -> dict[str, Any]:
    """Read one line of a stream and hold it against the schema.

    Raises:
        DataError: It is no frame of this version; the error names the key.
    """
    try:
        _FRAMES.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ": ".join(filter(None, ("frame", ".".join(map(str, first["loc"][1:])))))
        raise DataError(f"{key}: {first['msg'].lower()}; expected schema {SCHEMA_VERSION}") from error
    frame: dict[str, Any] = json.loads(line)
    return frame
