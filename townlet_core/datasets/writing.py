"""Writing shards: one row group per episode, streamed, with the same bytes for the same content."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from townlet_core.datasets.schema import Column, ShardFacts, arrow_schema, to_metadata
from townlet_core.files import Sink


class ShardWriter:
    """Writes episodes into a sink, each as its own row group; the facts are added at the end."""

    def __init__(self, sink: Sink, columns: tuple[Column, ...]) -> None:
        """Begin a Parquet file; byte-stream-split suits slowly changing floats, a dictionary the map's few values."""
        lists = [f"{column.name}.list.element" for column in columns if pa.types.is_fixed_size_list(column.type)]
        floats = [name for name in lists if name.startswith("features")]
        self.rows = 0
        self._writer = pq.ParquetWriter(
            sink,
            arrow_schema(columns),
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in lists if name not in floats],
            use_byte_stream_split=floats,
            store_schema=True,
        )

    def add(self, table: pa.Table) -> None:
        """Append one episode."""
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    def finish(self, facts: ShardFacts) -> None:
        """Write the facts and the footer."""
        self._writer.add_key_value_metadata(to_metadata(facts))
        self._writer.close()

    def abandon(self) -> None:
        """Close the writer without making a whole file of it."""
        if self._writer.is_open:
            self._writer.close()


@contextmanager
def shard_writer(sink: Sink, columns: tuple[Column, ...]) -> Iterator[ShardWriter]:
    """A ShardWriter that is closed however the block ends."""
    writer = ShardWriter(sink, columns)
    try:
        yield writer
    finally:
        writer.abandon()
