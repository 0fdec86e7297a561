"""Rows too many for memory, brought into order by way of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.order import RowNumbers
from d4cbuild.normalform.write import ROW_GROUP_ROWS

MOST_PARTITIONS = 256
_RANK = "\0rank"


class Partitions:
    """Files, each with the rows of some consecutive row groups, in no order yet.

    Args:
        folder: An empty folder for them.
        schema: The rows' schema.
        order: Row numbers in order.
        part_rows: Rows of a partition, about.
    """

    def __init__(self, folder: Path, schema: pa.Schema, order: RowNumbers, part_rows: int) -> None:
        rows = len(order)
        groups = max(1, part_rows // ROW_GROUP_ROWS, -(-rows // ROW_GROUP_ROWS // MOST_PARTITIONS))
        self.part_rows = groups * ROW_GROUP_ROWS
        self._ranks = np.empty(rows, np.uint32 if rows < 1 << 32 else np.uint64)
        self._ranks[order] = np.arange(rows, dtype=self._ranks.dtype)
        self._folder = folder
        rank_type = pa.from_numpy_dtype(self._ranks.dtype)
        self._schema = schema.append(pa.field(_RANK, rank_type))
        self._count = -(-rows // self.part_rows)
        self._writers: list[tuple[Any, Any]] = []
        self._at = 0

    def __len__(self) -> int:
        return self._count

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrows"

    def add(self, table: pa.Table) -> None:
        """Take the next rows and lay each into its partition."""
        if not self._writers:
            for number in range(self._count):
                sink = pa.OSFile(str(self._path(number)), "wb")
                self._writers.append((sink, pa.ipc.new_stream(sink, self._schema)))
        ranks = self._ranks[self._at : self._at + table.num_rows]
        self._at += table.num_rows
        places = ranks // self.part_rows
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
        for sink, writer in self._writers:
            writer.close()
            sink.close()
        self._writers = []
        self._ranks = np.empty(0, np.uint32)

    def read(self, number: int) -> tuple[pa.Table, pa.Array]:
        """Take a partition back; its file is removed.

        Returns:
            Its rows, and their order.
        """
        path = self._path(number)
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_stream(source).read_all()
        path.unlink()
        places = table.column(_RANK).to_numpy() - number * self.part_rows
        order = np.empty(len(places), np.uint32)
        order[places] = np.arange(len(places), dtype=np.uint32)
        return table.drop_columns([_RANK]), pa.array(order)
