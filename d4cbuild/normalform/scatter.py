"""Rows too many for memory, brought into order by way of files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.order import RowNumbers
from d4cbuild.normalform.write import ROW_GROUP_ROWS, RowGroup

MOST_PARTITIONS = 256
HELD_BYTES = 64 << 20
"""Rows are laid into partitions by so much at once, as each partition costs a little each time."""
_RANK = "\0rank"


class Partitions:
    """Files, each with the rows of some consecutive row groups, in no order yet.

    Args:
        folder: An empty folder for them.
        schema: The rows' schema.
        order: Row numbers in order.
        most: How many files there may be.
    """

    def __init__(
        self, folder: Path, schema: pa.Schema, order: RowNumbers, most: int = MOST_PARTITIONS
    ) -> None:
        rows = len(order)
        # One row group in each, if that is not too many files: then whoever encodes it orders it,
        # in memory that the processor has close by.
        groups = max(1, -(-rows // (ROW_GROUP_ROWS * most)))
        self._part_rows = groups * ROW_GROUP_ROWS
        self._ranks = np.empty(rows, np.uint32 if rows < 1 << 32 else np.uint64)
        self._ranks[order] = np.arange(rows, dtype=self._ranks.dtype)
        self._folder = folder
        rank_type = pa.from_numpy_dtype(self._ranks.dtype)
        self._schema = schema.append(pa.field(_RANK, rank_type))
        self._count = -(-rows // self._part_rows)
        self._writers: list[tuple[Any, Any]] = []
        self._at = 0
        self._held: list[pa.Table] = []
        self._held_bytes = 0

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrows"

    def add(self, table: pa.Table) -> None:
        """Take the next rows."""
        self._held.append(table)
        self._held_bytes += table.nbytes
        if self._held_bytes >= HELD_BYTES:
            self._lay()

    def _lay(self) -> None:
        """Lay the rows that were taken, each into its partition."""
        if not self._held:
            return
        table = pa.concat_tables(self._held).combine_chunks()
        self._held, self._held_bytes = [], 0
        if not self._writers:
            for number in range(self._count):
                sink = pa.OSFile(str(self._path(number)), "wb")
                self._writers.append((sink, pa.ipc.new_stream(sink, self._schema)))
        ranks = self._ranks[self._at : self._at + table.num_rows]
        self._at += table.num_rows
        places = ranks // self._part_rows
        # There are few enough of them for a byte, which is sorted fastest.
        order = np.argsort(places.astype(np.uint8), kind="stable")
        rows = table.append_column(self._schema.field(_RANK), pa.array(ranks))
        rows = rows.take(pa.array(order))
        cuts = np.concatenate([[0], np.cumsum(np.bincount(places, minlength=self._count))])
        for number, (_, writer) in enumerate(self._writers):
            start, end = int(cuts[number]), int(cuts[number + 1])
            if start < end:
                writer.write_table(rows.slice(start, end - start))

    def close(self) -> None:
        """Finish writing; call once, after the last rows and before the first is read."""
        self._lay()
        for sink, writer in self._writers:
            writer.close()
            sink.close()
        self._writers = []
        self._ranks = np.empty(0, np.uint32)

    def row_groups(self) -> Iterator[RowGroup]:
        """Yield the row groups in order; each can be made once."""
        for number in range(self._count):
            if self._part_rows == ROW_GROUP_ROWS:
                yield partial(self._one_group, number)
            else:
                yield from groups_in_order(*self._read(number))

    def _one_group(self, number: int) -> pa.Table:
        rows, order = self._read(number)
        return rows.take(order)

    def _read(self, number: int) -> tuple[pa.Table, pa.Array]:
        """Take a partition back, in one chunk, and the order of its rows; its file is removed."""
        path = self._path(number)
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_stream(source).read_all()
        path.unlink()
        places = table.column(_RANK).to_numpy() - number * self._part_rows
        order = np.empty(len(places), np.uint32)
        order[places] = np.arange(len(places), dtype=np.uint32)
        return table.drop_columns([_RANK]).combine_chunks(), pa.array(order)


def groups_in_order(rows: pa.Table, order: pa.Array) -> Iterator[RowGroup]:
    """Yield the row groups of a table in memory.

    Args:
        rows: The rows, in one chunk.
        order: Their numbers, in order.
    """
    for start in range(0, len(order), ROW_GROUP_ROWS):
        yield partial(rows.take, order.slice(start, ROW_GROUP_ROWS))
