"""Every choice of everybody in some towns as rows of a table, handed on in portions, so that memory is bounded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from townlet_core.core import Simulation
from townlet_core.files import Sink

Keep = Callable[[pa.Table], None]
"""Takes rows of `CHOICES_SCHEMA`."""
KeepAll = Callable[[int, str, pa.Table], None]
"""Takes the number of a window, the name of a contender, and rows of `CHOICES_SCHEMA`."""

CHOICES_SCHEMA = pa.schema(
    [
        pa.field("scenario", pa.string()),
        pa.field("town", pa.int32()),
        pa.field("agent", pa.int16()),
        pa.field("tick", pa.int32()),
        pa.field("action", pa.string()),
        pa.field("reward_so_far", pa.float32()),
    ]
)
EVALUATED_SCHEMA = pa.schema([pa.field("window", pa.int16()), pa.field("policy", pa.string()), *CHOICES_SCHEMA])

ROWS_AT_ONCE = 200_000
"""Rows that a diary holds back, about 20 bytes each."""


class Diary:
    """Notes every choice of every citizen, in the order they are made, with the rewards of that life until then.

    A tick that left no choice has no row, so that the choices are the whole rollout.
    """

    def __init__(self, scenario: str, sim: Simulation, keep: Keep) -> None:
        """Begin a diary of some towns; `keep` is handed its rows, portion by portion."""
        self._scenario, self._sim, self._keep = scenario, sim, keep
        self._portions: list[tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]] = []
        self._rows = 0

    def note(self, actions: NDArray[np.int8], tick: int) -> None:
        """Note what is chosen in a tick that has not been lived yet."""
        town, agent = np.nonzero(self._sim.decision)
        place = np.stack([town + self._sim.first_town, agent, np.full_like(town, tick)])
        rewards = self._sim.agents["reward_sum"][town, agent].astype(np.float32)
        self._portions.append((place, actions[town, agent], rewards))
        self._rows += len(town)
        if self._rows >= ROWS_AT_ONCE:
            self.close()

    def close(self) -> None:
        """Hand on what is still held back."""
        if self._portions:
            self._keep(self._table())
        self._portions, self._rows = [], 0

    def _table(self) -> pa.Table:
        places, actions, rewards = (np.concatenate(part, axis=-1) for part in zip(*self._portions, strict=True))
        names = pa.array(self._sim.layout.actions)
        named = pa.DictionaryArray.from_arrays(pa.array(actions), names).cast(pa.string())
        columns = [pa.repeat(self._scenario, len(actions)), *places, named, rewards]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, CHOICES_SCHEMA, strict=True)]
        return pa.Table.from_arrays(arrays, schema=CHOICES_SCHEMA)


@contextmanager
def choices_file(sink: Sink) -> Iterator[KeepAll]:
    """A Parquet file of `EVALUATED_SCHEMA` that is written as choices come in; whole when the block ends well."""
    numbers = ["town", "agent", "tick"]
    named = [name for name in EVALUATED_SCHEMA.names if name not in (*numbers, "reward_so_far")]
    with pq.ParquetWriter(
        sink,
        EVALUATED_SCHEMA,
        compression="zstd",
        use_dictionary=named,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED") | {"reward_so_far": "BYTE_STREAM_SPLIT"},
    ) as writer:
        yield lambda window, policy, rows: writer.write_table(_evaluated(window, policy, rows))


def _evaluated(window: int, policy: str, rows: pa.Table) -> pa.Table:
    named = {"window": pa.repeat(pa.scalar(window, pa.int16()), len(rows)), "policy": pa.repeat(policy, len(rows))}
    ordered = rows.sort_by([(name, "ascending") for name in ("town", "agent", "tick")])
    return pa.table([*named.values(), *ordered.columns], schema=EVALUATED_SCHEMA)
