"""What a shard looks like: its columns with their units, and the facts in its metadata that make it stand alone."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from townlet_core.config import canonical_json, digest
from townlet_core.errors import DataError

SCHEMA_VERSION = 2
"""Raised when a column changes its name, type or meaning."""

PREFIX = "townlet."
"""Prefix of Townlet's keys in a shard's metadata."""


class Column(NamedTuple):
    """One column of a shard: its name, Arrow type, unit and meaning."""

    name: str
    type: pa.DataType
    unit: str
    about: str


class Shape(NamedTuple):
    """Lengths of the fixed-size lists: bytes of the local map, features and actions of an observation."""

    map: int
    features: int
    actions: int


@dataclass(frozen=True)
class ShardFacts:
    """Everything a shard says about itself, so that it can be read and replayed with nothing else at hand.

    Attributes:
        kind: `steps` or `events`.
        scenario: name of the scenario.
        date: capture date, `YYYY-MM-DD`.
        seed: run seed; town k of the capture depends on (seed, k) alone.
        towns: episodes in the shard; episode k is town k.
        agents: citizens per town.
        ticks: ticks per episode, one minute each.
        exploration: share of decisions at which a random legal action was executed.
        policy: name of the policy whose choices are in `expert`.
        layout: the observation layout, as its JSON says it.
        layout_digest: digest of the layout, as checkpoints record it.
        config: the whole configuration of the town.
        config_digest: digest of that configuration.
        code: digest of the sources that made the shard.
        event_names: names of the event kinds by number.
        events: digest of the events shard; empty in the events shard itself.
    """

    kind: str
    scenario: str
    date: str
    seed: int
    towns: int
    agents: int
    ticks: int
    exploration: float
    policy: str
    layout: dict[str, Any]
    layout_digest: str
    config: dict[str, Any]
    config_digest: str
    code: str
    event_names: tuple[str, ...]
    events: str = ""


def shape_of(layout: Mapping[str, Any]) -> Shape:
    """Lengths of an observation's parts, from a layout's JSON."""
    cells = int(layout["window"]) ** 2
    return Shape(cells * len(layout["channels"]), len(layout["features"]), len(layout["actions"]))


def steps_columns(shape: Shape) -> tuple[Column, ...]:
    """The columns of a steps shard: a row per agent and tick, ordered by agent, then tick; a row group per episode.

    Parquet has no lists of length zero: what agents observe without a map has no `map` column.
    """
    columns = (
        Column("episode", pa.int32(), "", "town of the capture; an episode is one town's stretch of days"),
        Column("agent", pa.int16(), "", "place within the town; one life after another may be lived in it"),
        Column("tick", pa.int32(), "minute", "ticks since the episode began"),
        Column("person", pa.int32(), "", "who lives there: founders from 0, newcomers after them; -1 = nobody"),
        Column("decision", pa.bool_(), "", "the mask left more than one choice, so this row is a decision"),
        Column("action", pa.int8(), "option", "the option that was executed"),
        Column("expert", pa.int8(), "option", "the option that the recorded policy chose"),
        Column("map", _list(pa.uint8(), shape.map), "", "local map before the action: rows, columns, channels"),
        Column("features", _list(pa.float32(), shape.features), "", "features before the action; ranges in the layout"),
        Column("mask", _list(pa.uint8(), shape.actions), "0 or 1", "options that were allowed"),
        Column("reward", pa.float32(), "reward", "reward of this tick, after clipping"),
        Column("clipped", pa.bool_(), "", "the reward of this tick was cut by the clip"),
        Column("terminated", pa.bool_(), "", "the citizen's life ended in this tick"),
        Column("truncated", pa.bool_(), "", "the episode ended with this tick by its length"),
    )
    return tuple(column for column in columns if column.name != "map" or shape.map)


def events_columns() -> tuple[Column, ...]:
    """The columns of an events shard: a row per event, in the order they happened."""
    return (
        Column("episode", pa.int32(), "", "town of the capture"),
        Column("tick", pa.int32(), "minute", "ticks since the episode began, as in the steps of the same town"),
        Column("kind", pa.int16(), "event", "index into the event names"),
        Column("subject", pa.int16(), "", "citizen who did it, or -1"),
        Column("object", pa.int16(), "", "object it happened at, or -1"),
        Column("other", pa.int16(), "", "second citizen or detail, or -1"),
        Column("value", pa.float32(), "", "amount that belongs to the event"),
    )


def arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of columns; nothing in a shard may be null."""
    return pa.schema([pa.field(column.name, column.type, nullable=False) for column in columns])


def fingerprint(schema: pa.Schema, layout_digest: str) -> str:
    """Digest of a shard's form: column names and types, the observation layout and the schema version."""
    columns = [[field.name, str(field.type), field.nullable] for field in schema]
    return digest({"columns": columns, "layout": layout_digest, "version": SCHEMA_VERSION})


def expected_fingerprint(facts: ShardFacts) -> str:
    """The fingerprint that a shard with these facts must have."""
    columns = steps_columns(shape_of(facts.layout)) if facts.kind == "steps" else events_columns()
    return fingerprint(arrow_schema(columns), facts.layout_digest)


def to_metadata(facts: ShardFacts) -> dict[str, str]:
    """The facts as key-value metadata of a Parquet file, with the units of the columns beside them."""
    columns = steps_columns(shape_of(facts.layout)) if facts.kind == "steps" else events_columns()
    described = {column.name: {"unit": column.unit, "about": column.about} for column in columns}
    content = asdict(facts) | {"columns": described, "schema_version": SCHEMA_VERSION}
    return {PREFIX + key: canonical_json(value).decode() for key, value in content.items()}


def read_facts(shard: pq.ParquetFile, name: str) -> ShardFacts:
    """The facts of an opened shard.

    Args:
        shard: an opened Parquet file.
        name: what to call the file in an error.

    Raises:
        DataError: the file is no Townlet shard, or its columns are not those that its own facts promise.
    """
    metadata = {key.decode(): value for key, value in (shard.metadata.metadata or {}).items()}
    version = _value(metadata, "schema_version", name)
    if version != SCHEMA_VERSION:
        raise DataError(f"{name}: schema version {version}; this code reads version {SCHEMA_VERSION}, capture it again")
    values = {field.name: _value(metadata, field.name, name) for field in fields(ShardFacts)}
    try:
        facts = ShardFacts(**values | {"event_names": tuple(values["event_names"])})
        expected = expected_fingerprint(facts)
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{name}: the facts in its metadata are damaged; restore it or capture it again") from None
    if fingerprint(shard.schema_arrow, facts.layout_digest) != expected:
        raise DataError(f"{name}: columns do not fit the layout in its metadata; capture it again")
    return facts


def _value(metadata: Mapping[str, bytes], key: str, name: str) -> Any:
    try:
        return json.loads(metadata[PREFIX + key])
    except KeyError:
        raise DataError(f"{name}: not a Townlet shard, its metadata lacks '{key}'; name a captured shard") from None
    except ValueError:
        raise DataError(f"{name}: metadata '{key}' is not JSON; restore the shard or capture it again") from None


def _list(item: pa.DataType, length: int) -> pa.DataType:
    return pa.list_(pa.field("element", item, nullable=False), length)
