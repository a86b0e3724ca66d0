"""What a simulation saves of itself, and how one is built again from it."""

from typing import TYPE_CHECKING, TypeVar

from townlet_core.config import TownConfig, canonical_json, config_digest, embedded_config
from townlet_core.core.identity import SCHEMA_VERSION, Actor, Identity, identity_of, read_identity, require_schema
from townlet_core.core.statefile import StateFile
from townlet_core.errors import DataError
from townlet_core.kernels.streams import STREAM_NAMES

if TYPE_CHECKING:
    from townlet_core.core.simulation import Simulation

S = TypeVar("S", bound="Simulation")


def snapshot_of(sim: "Simulation", actor: Actor, migrations: tuple[str, ...] = ()) -> StateFile:
    """Gather what a file of these towns holds; the arrays are the live ones.

    Args:
        sim: The towns.
        actor: Who chose for the citizens.
        migrations: Steps that brought these towns here from an older file, in order.
    """
    identity = identity_of(sim, actor).model_dump(mode="json")
    header = {"schema_version": SCHEMA_VERSION, "identity": identity, "migrations": list(migrations)}
    return StateFile(header, sim.arrays())


def revived(
    make: type[S],
    stored: StateFile,
    source: str,
    *,
    threads: int = 1,
    allow_downgrade: bool = False,
) -> S:
    """Build the towns of a file, at the tick at which they were saved.

    Args:
        make: The class to build.
        stored: What the file held.
        source: Its name, for errors.
        threads: Towns are split over this many threads; the history does not depend on it.
        allow_downgrade: Try a file of a newer schema version.

    Raises:
        DataError: Another schema version, or something in it does not fit this town; names what differs first.
        ConfigError: The town in the file would not be accepted from a file either.
    """
    require_schema(stored.header, source, allow_downgrade)
    identity = read_identity(stored.header, source)
    town = saved_config(identity, source)
    _require_shape(stored, identity, town, source)
    sim = make(town, identity.towns, identity.seed, threads=threads, first_town=identity.first_town)
    if sim.layout.digest != identity.layout_digest:
        raise DataError(
            f"{source}: layout_digest: the towns observe {identity.observation_variant} by the layout "
            f"{identity.layout_digest[:12]}… in the file and {sim.layout.variant} by {sim.layout.digest[:12]}… here; "
            "run the version that saved it"
        )
    sim.restore(stored.arrays, source)
    if sim.tick != identity.tick:
        raise DataError(f"{source}: identity.tick is {identity.tick}, the towns are at {sim.tick}; save them again")
    return sim


def saved_config(identity: Identity, source: str) -> TownConfig:
    """The configuration that the saved towns lived by.

    Raises:
        ConfigError: It would not be accepted from a file either.
        DataError: It is not the one that its digest names.
    """
    config = embedded_config(canonical_json(identity.config), source)
    found = config_digest(config)
    if found != identity.config_digest:
        raise DataError(
            f"{source}: config_digest is {identity.config_digest[:12]}…, the config beside it has {found[:12]}… here; "
            "run the version that saved it, or migrate the file"
        )
    return config


def _require_shape(stored: StateFile, identity: Identity, config: TownConfig, source: str) -> None:
    """Refuse before anything is built what would make a simulation of the wrong size or with other luck."""
    if identity.streams != list(STREAM_NAMES):
        raise DataError(f"{source}: identity.streams is {identity.streams}; this version has {list(STREAM_NAMES)}")
    agents = stored.arrays.get("state.agents")
    found = None if agents is None else agents.shape
    if found != (identity.towns, config.agents):
        raise DataError(
            f"{source}: array state.agents has the shape {found}; expected {(identity.towns, config.agents)}, "
            "towns and citizens"
        )
