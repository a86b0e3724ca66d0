"""Two real captures of a few towns, and the means to spoil a copy of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

from townlet_core.config import CaptureRules, CurationRules, Scenario, load_scenario
from townlet_core.datasets import CaptureRecord, Store, build_version, capture, curate
from townlet_core.policy.teacher import Teacher

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

CONFIGS = Path(__file__).parents[3] / "configs"
DATE = "2026-11-01"


class Line(NamedTuple):
    """A store with captures of two scenarios, their curated records and a dataset version of them."""

    store: Store
    captures: list[CaptureRecord]
    manifest: dict[str, Any]


def few_towns(name: str, towns: int = 4) -> Scenario:
    scenario = load_scenario(name, CONFIGS)
    return scenario._replace(capture=CaptureRules(towns=towns, days=1, exploration=0.1))


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """An ordinary day of four towns."""
    return few_towns("ordinary_day")


@pytest.fixture(scope="session")
def rules() -> CurationRules:
    """Rules that every episode of the town passes, however the town is tuned."""
    return CurationRules(allow_deaths=True, max_clipped_share=1.0, min_distinct_actions=3)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, rules: CurationRules) -> Line:
    """Two captures that no test may change."""
    store = Store(tmp_path_factory.mktemp("datasets"))
    captures = [capture(few_towns(name), DATE, store, policy_factory=Teacher) for name in ("low_money", "ordinary_day")]
    return Line(store, captures, build_version([curate(one, rules, store) for one in captures], rules, store))


@pytest.fixture
def line(pristine: Line, tmp_path: Path) -> Line:
    """A copy of the two captures that a test may spoil."""
    shutil.copytree(str(pristine.store.root), tmp_path / "datasets")
    return pristine._replace(store=Store(tmp_path / "datasets"))


@pytest.fixture
def relabel() -> Callable[[Path, Path, dict[str, Any]], None]:
    """Write a copy of a shard with other facts in its metadata, given by key as JSON values."""

    def change(source: Path, target: Path, facts: dict[str, Any]) -> None:
        shard = pq.ParquetFile(source)
        known = {key: value for key, value in shard.metadata.metadata.items() if key.startswith(b"townlet.")}
        with pq.ParquetWriter(target, shard.schema_arrow.remove_metadata()) as writer:
            for group in range(shard.num_row_groups):
                writer.write_table(shard.read_row_group(group).replace_schema_metadata(None))
            writer.add_key_value_metadata(
                known | {f"townlet.{key}".encode(): json.dumps(value).encode() for key, value in facts.items()}
            )

    return change


Change = Callable[[Path, Path, str, int, Any], None]


@pytest.fixture
def rewrite() -> Change:
    """Write a copy of a shard in which one value of a column differs, whole and readable in every other way."""

    def change(source: Path, target: Path, column: str, row: int, value: Any) -> None:
        shard = pq.ParquetFile(source)
        table = shard.read()
        field = table.schema.get_field_index(column)
        values = table.column(column).combine_chunks()
        table = table.set_column(field, table.schema.field(column), _changed(values, row, value))
        group = table.num_rows // shard.num_row_groups
        with pq.ParquetWriter(target, shard.schema_arrow.remove_metadata(), compression="zstd") as writer:
            for start in range(0, table.num_rows, group):
                writer.write_table(table.slice(start, group).replace_schema_metadata(None), row_group_size=group)
            known = shard.metadata.metadata
            writer.add_key_value_metadata({key: known[key] for key in known if key.startswith(b"townlet.")})

    return change


def _changed(values: pa.Array, row: int, value: Any) -> pa.Array:
    if not pa.types.is_fixed_size_list(values.type):
        plain = np.array(values.to_numpy(zero_copy_only=False))
        plain[row] = value
        return pa.array(plain, values.type)
    size = values.type.list_size
    flat = np.array(values.flatten().to_numpy(zero_copy_only=False))
    index, content = value
    flat[row * size + index] = content
    return pa.FixedSizeListArray.from_arrays(pa.array(flat, values.type.value_type), type=values.type)
