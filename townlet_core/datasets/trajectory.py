"""Trajectories as arrays: what happened to every citizen of some towns, and its form as rows of a table."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from townlet_core.datasets.schema import Shape, arrow_schema, events_columns, steps_columns

EVENT_FIELDS = ("tick", "kind", "subject", "object", "other", "value")
"""Columns of an event beside the town it belongs to."""


class Trajectory(NamedTuple):
    """Steps of T towns: every array is [towns, agents, ticks, ...], observations are those before the action.

    A row is a place in town: `person` says whose life it is, -1 while the place is empty. `truncated` is a fact of the
    town and repeated for its citizens.
    """

    person: NDArray[np.int32]
    decision: NDArray[np.bool_]
    action: NDArray[np.int8]
    expert: NDArray[np.int8]
    map: NDArray[np.uint8]
    features: NDArray[np.float32]
    mask: NDArray[np.uint8]
    reward: NDArray[np.float32]
    clipped: NDArray[np.bool_]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Recording(NamedTuple):
    """A Trajectory and the events of each of its towns, in order; an event is a row of the engine's event table."""

    steps: Trajectory
    events: list[NDArray[Any]]


def allocate(towns: int, agents: int, ticks: int, shape: Shape) -> Trajectory:
    """An empty Trajectory of the given size."""
    size = (towns, agents, ticks)
    flag, option, real = np.bool_, np.int8, np.float32
    return Trajectory(
        person=np.zeros(size, np.int32),
        decision=np.zeros(size, flag),
        action=np.zeros(size, option),
        expert=np.zeros(size, option),
        map=np.zeros((*size, shape.map), np.uint8),
        features=np.zeros((*size, shape.features), real),
        mask=np.zeros((*size, shape.actions), np.uint8),
        reward=np.zeros(size, real),
        clipped=np.zeros(size, flag),
        terminated=np.zeros(size, flag),
        truncated=np.zeros(size, flag),
    )


def steps_table(steps: Trajectory, town: int, episode: int) -> pa.Table:
    """One town of a Trajectory as rows ordered by agent, then tick."""
    agents, ticks = steps.reward.shape[1:3]
    own = Trajectory(*(array[town].reshape(agents * ticks, *array.shape[3:]) for array in steps))
    named: dict[str, NDArray[Any]] = {
        "episode": np.full(agents * ticks, episode, np.int32),
        "agent": np.repeat(np.arange(agents, dtype=np.int16), ticks),
        "tick": np.tile(np.arange(ticks, dtype=np.int32), agents),
        **own._asdict(),
    }
    schema = arrow_schema(steps_columns(Shape(own.map.shape[1], own.features.shape[1], own.mask.shape[1])))
    return pa.Table.from_arrays([_arrow(named[field.name], field.type) for field in schema], schema=schema)


def events_table(events: NDArray[Any], episode: int) -> pa.Table:
    """One town's events as rows, in order."""
    schema = arrow_schema(events_columns())
    columns = [pa.array(np.full(len(events), episode, np.int32))]
    columns += [pa.array(np.ascontiguousarray(events[name]), schema.field(name).type) for name in EVENT_FIELDS]
    return pa.Table.from_arrays(columns, schema=schema)


def read_columns(shard: pq.ParquetFile, group: int, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Columns of one row group as arrays; fixed-size lists become the second axis, of length 0 for a `map` not kept."""
    table = shard.read_row_group(group, columns=list(names), use_threads=False)
    present = {name: _numpy(table.column(name)) for name in names if name in table.schema.names}
    return {name: present.get(name, np.zeros((table.num_rows, 0), np.uint8)) for name in names}


def _arrow(array: NDArray[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(array, kind)
    values = pa.array(array.reshape(-1), kind.value_type)
    return pa.FixedSizeListArray.from_arrays(values, type=kind)


def _numpy(column: pa.ChunkedArray) -> NDArray[Any]:
    array = column.combine_chunks()
    if not pa.types.is_fixed_size_list(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    return np.asarray(array.flatten().to_numpy(zero_copy_only=False)).reshape(len(array), array.type.list_size)
