"""Who and what a saved batch of towns is: everything that decides its history, and who chose for its citizens."""

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from townlet_core.config import config_digest
from townlet_core.errors import DataError
from townlet_core.kernels.streams import STREAM_NAMES
from townlet_core.sources import ENGINE, source_digest

if TYPE_CHECKING:
    from townlet_core.core.simulation import Simulation

SCHEMA_VERSION = 3
"""Version of the records and the identity; it rises when either changes, together with a migration from the last."""

Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Actor(NamedTuple):
    """Who chose for the citizens: a policy's name and digest, and the share that the script still decided."""

    name: str | None = None
    digest: str | None = None
    anneal_ratio: float | None = None


UNNAMED = Actor()
"""For whoever saves towns without saying who chose for their citizens."""


class Identity(BaseModel):
    """What a snapshot says of itself.

    `config` is the whole town, so that the file stands alone; `streams` names the random streams whose states lie in
    the town records; `engine` is the digest of the sources that made it; `tick` counts from the reset.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    config_id: str
    config_digest: str
    config: dict[str, Any]
    observation_variant: str
    layout_digest: str
    policy_name: str | None
    policy_digest: str | None
    anneal_ratio: Annotated[float, Field(ge=0.0, le=1.0)] | None
    streams: list[str]
    seed: Annotated[int, Field(ge=0)]
    first_town: Number
    towns: Count
    agents: Count
    tick: Number
    engine: str


def identity_of(sim: "Simulation", actor: Actor) -> Identity:
    """Identify the towns of a simulation as they are now."""
    towns, agents = sim.shape
    return Identity(
        config_id=sim.config.config_id,
        config_digest=config_digest(sim.config),
        config=sim.config.model_dump(mode="json"),
        observation_variant=sim.layout.variant,
        layout_digest=sim.layout.digest,
        policy_name=actor.name,
        policy_digest=actor.digest,
        anneal_ratio=actor.anneal_ratio,
        streams=list(STREAM_NAMES),
        seed=sim.seed,
        first_town=sim.first_town,
        towns=towns,
        agents=agents,
        tick=sim.tick,
        engine=source_digest(*ENGINE),
    )


def read_identity(header: dict[str, Any], source: str) -> Identity:
    """Read the identity out of a header of this schema version; ``source`` names the file in errors.

    Raises:
        DataError: A key is missing, unknown or of another type.
    """
    try:
        return Identity.model_validate(header.get("identity"))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("identity", *first["loc"]))
        raise DataError(f"{source}: {key}: {first['msg']}; save the towns again with this version") from error


def read_steps(header: dict[str, Any], source: str) -> tuple[str, ...]:
    """Read the migrations that a file has gone through out of its header.

    Raises:
        DataError: They are no list of words.
    """
    steps = header.get("migrations")
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise DataError(f"{source}: migrations: expected a list of words; save the towns again with this version")
    return tuple(steps)


def require_schema(header: dict[str, Any], source: str, allow_downgrade: bool = False) -> None:
    """Refuse a file whose schema version is not this code's.

    Raises:
        DataError: It is older and needs a migration, or newer and `allow_downgrade` is off.
    """
    version = header.get("schema_version")
    if not isinstance(version, int) or version < 1:
        raise DataError(f"{source}: schema_version: found {version!r}; expected a number from 1 to {SCHEMA_VERSION}")
    if version < SCHEMA_VERSION:
        raise DataError(
            f"{source}: schema_version is {version}, this version reads {SCHEMA_VERSION}; run townlet snapshot migrate"
        )
    if version > SCHEMA_VERSION and not allow_downgrade:
        raise DataError(
            f"{source}: schema_version is {version}, newer than {SCHEMA_VERSION}, the newest that this version reads; "
            "update Townlet, or set guardrails.allow_downgrade to try it"
        )
