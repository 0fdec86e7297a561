"""Keys too many for memory, put into order by DuckDB on disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.scratch import ScratchTooSmall

LEAST_MEMORY = 64 << 20
_ROW = "row"


class SpilledKeys:
    """A table of keys on disk.

    Args:
        folder: An empty folder for it.
        memory: Bytes DuckDB may take, at least 64 MiB.
        threads: Its threads.
        expected: How many rows there will be, about.
    """

    def __init__(self, folder: Path, memory: int, threads: int, expected: int) -> None:
        try:
            import duckdb
        except ModuleNotFoundError as error:
            message = "the keys of this table do not fit into memory; sorting them needs duckdb"
            raise ModuleNotFoundError(message) from error
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{max(memory, LEAST_MEMORY)}B",
            "threads": str(threads),
            "temp_directory": str(folder / "temporary"),
            "preserve_insertion_order": "false",
        }
        self._failures = (duckdb.IOException, duckdb.TransactionException, duckdb.FatalException)
        self._folder = folder
        self._expected = expected
        self._rows = 0
        self._bytes = 0
        self._schema: pa.Schema | None = None
        with self._filling():
            self._connection = duckdb.connect(str(folder / "keys.duckdb"), config=settings)
            self._connection.execute("SET TimeZone = 'UTC'")
            self._connection.execute("SET enable_progress_bar = false")  # a slow sort prints it

    @contextmanager
    def _filling(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            # Keys are on disk twice: as they came, and in sorted runs.
            share = max(self._expected, self._rows) / max(self._rows, 1)
            raise ScratchTooSmall(int(2 * self._bytes * share)) from error

    def add(self, keys: pa.Table) -> None:
        """Take the keys of the next rows."""
        numbers = np.arange(self._rows, self._rows + keys.num_rows, dtype=np.uint64)
        self._rows += keys.num_rows
        self._bytes += keys.nbytes + numbers.nbytes
        how = "CREATE TABLE keys AS" if self._schema is None else "INSERT INTO keys"
        self._schema = keys.schema
        with self._filling():
            self._connection.register("piece", keys.append_column(_ROW, pa.array(numbers)))
            self._connection.execute(f"{how} SELECT * FROM piece")
            self._connection.unregister("piece")

    def ordered(self) -> Iterator[tuple[Any, pa.Table]]:
        """Yield row numbers and keys, in order. Call once."""
        assert self._schema is not None  # it is made when there is something to add
        names = ", ".join(f'"{name}" ASC NULLS LAST' for name in self._schema.names)
        with self._filling():
            result = self._connection.sql(f"SELECT * FROM keys ORDER BY {names}")
            for batch in pa.RecordBatchReader.from_stream(result):
                piece = pa.Table.from_batches([batch])
                rows = piece.column(_ROW).to_numpy()
                yield rows, piece.drop_columns([_ROW]).cast(self._schema)
        self._connection.close()
        shutil.rmtree(self._folder)
