"""A shard's form is published, fingerprinted, and stands alone: anybody can read it with Parquet tools."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from townlet_core.config import TownConfig, config_digest
from townlet_core.datasets.schema import (
    arrow_schema,
    events_columns,
    expected_fingerprint,
    fingerprint,
    read_facts,
    shape_of,
    steps_columns,
)
from townlet_core.datasets.store import open_parquet
from townlet_core.errors import DataError
from townlet_core.observations.layout import ObservationLayout

GOLDEN = Path(__file__).parent / "golden" / "shards.json"
LAYOUT = {
    "window": 3,
    "channels": ["terrain", "agent"],
    "features": [{"name": "hunger"}] * 5,
    "actions": ["idle", "cook"],
}


def published() -> dict[str, Any]:
    """The form of both kinds of shard for a small layout."""
    kinds = {"steps": steps_columns(shape_of(LAYOUT)), "events": events_columns()}
    return {
        kind: {
            "columns": [[one.name, str(one.type), one.unit, one.about] for one in columns],
            "fingerprint": fingerprint(arrow_schema(columns), "a layout"),
        }
        for kind, columns in kinds.items()
    }


def test_the_published_form_is_the_golden_one() -> None:
    assert published() == json.loads(GOLDEN.read_text())


def test_another_layout_is_another_form() -> None:
    schema = arrow_schema(steps_columns(shape_of(LAYOUT)))
    wider = arrow_schema(steps_columns(shape_of({**LAYOUT, "actions": ["idle", "cook", "wash"]})))
    assert len({fingerprint(schema, "one"), fingerprint(schema, "two"), fingerprint(wider, "one")}) == 3


def test_a_shard_says_what_it_is(pristine: Any) -> None:
    record = pristine.captures[1]
    shard = pristine.store.open(record.digest)
    facts = read_facts(shard, "shard")
    assert (facts.kind, facts.scenario, facts.date, facts.seed) == ("steps", "ordinary_day", record.date, record.seed)
    assert facts.events == record.events_digest
    config = TownConfig.model_validate_json(json.dumps(facts.config))
    assert config_digest(config) == facts.config_digest == record.config_digest
    layout = ObservationLayout.from_json(json.dumps(facts.layout))
    assert layout.digest == facts.layout_digest == record.layout_digest
    assert fingerprint(shard.schema_arrow, facts.layout_digest) == expected_fingerprint(facts)


def test_every_column_has_its_meaning_in_the_metadata(pristine: Any) -> None:
    for digest in (pristine.captures[0].digest, pristine.captures[0].events_digest):
        shard = pristine.store.open(digest)
        described = json.loads(shard.metadata.metadata[b"townlet.columns"])
        assert set(described) == set(shard.schema_arrow.names)
        assert all(column["about"] for column in described.values())


def test_nothing_in_a_shard_may_be_null_and_an_episode_is_a_row_group(pristine: Any) -> None:
    shard = pristine.store.open(pristine.captures[0].digest)
    assert not any(field.nullable for field in shard.schema_arrow)
    assert shard.num_row_groups == pristine.captures[0].towns
    for group in range(shard.num_row_groups):
        assert set(shard.read_row_group(group, columns=["episode"]).column("episode").to_pylist()) == {group}


def strip(source: Path, target: Path, keep: bool, drop: str) -> None:
    shard = pq.ParquetFile(source)
    table = shard.read().drop_columns([drop] if drop else [])
    with pq.ParquetWriter(target, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None))
        known = shard.metadata.metadata
        writer.add_key_value_metadata({key: known[key] for key in known if keep and key.startswith(b"townlet.")})


@pytest.mark.parametrize(
    ("keep", "drop", "message"),
    [
        (False, "", "not a Townlet shard.*name a captured shard"),
        (True, "reward", "columns do not fit.*capture it again"),
    ],
)
def test_a_shard_of_another_form_is_refused_by_name(
    line: Any, tmp_path: Path, keep: bool, drop: str, message: str
) -> None:
    target = tmp_path / "other.parquet"
    strip(Path(line.store.object_path(line.captures[0].digest)), target, keep, drop)
    with pytest.raises(DataError, match=f"other.parquet: {message}"):
        read_facts(open_parquet(line.store.root / ".." / "other.parquet"), str(target))
