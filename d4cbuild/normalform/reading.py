"""Where rows come from: a table in memory, or a Parquet file read piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

PIECE_ROWS = 122_880
PIECE_BYTES = 16 << 20
READ_BYTES = 1 << 20


class Unreadable(ValueError):
    """A file is not readable as Parquet."""


class Source(Protocol):
    """Rows that can be gone through more than once."""

    schema: pa.Schema
    rows: int

    def pieces(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows in pieces; at least one, which may be empty.

        Args:
            columns: Names of the columns wanted; all unless given.
        """

    def weight(self) -> int:
        """About how many bytes all rows take in memory."""


class TableSource:
    """A table in memory."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.schema = table.schema
        self.rows = table.num_rows

    def pieces(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield slices."""
        table = self._table if columns is None else self._table.select(columns)
        step = _piece_rows(self.rows, self.weight())
        for start in range(0, max(self.rows, 1), step):
            yield table.slice(start, step)

    def weight(self) -> int:
        """About how many bytes the table takes."""
        # pyarrow 23 refuses to weigh views by what they show, and 24 breaks down.
        if any("view" in str(kind) for kind in self.schema.types):
            return int(self._table.get_total_buffer_size())
        return int(self._table.nbytes)


class ParquetSource:
    """A Parquet file.

    Args:
        path: The file.

    Raises:
        Unreadable: if it is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Buffered: else each row group's columns, or the whole file, are held while it is read.
            self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=READ_BYTES)
            self.schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(_first_line(error)) from error
        self.rows = self._file.metadata.num_rows
        self._step = _piece_rows(self.rows, self._decoded())

    def pieces(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Read batches; raises :class:`Unreadable` where the file is broken."""
        empty = True
        try:
            for batch in self._file.iter_batches(self._step, columns=columns):
                yield pa.Table.from_batches([batch])
                empty = False
        except (pa.ArrowException, OSError) as error:
            raise Unreadable(_first_line(error)) from error
        if empty:
            yield self.schema.empty_table()

    def _decoded(self) -> int:
        metadata = self._file.metadata
        groups = (metadata.row_group(i) for i in range(metadata.num_row_groups))
        return sum(group.total_byte_size for group in groups)

    def weight(self) -> int:
        """About how many bytes the rows take; the first of them stand for all."""
        first = next(self.pieces(), None)
        if first is None or first.num_rows == 0:
            return 0
        by_first = first.nbytes * self.rows // first.num_rows
        return max(int(by_first), self._decoded())


def in_equal_pieces(pieces: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Cut pieces anew, so that each but the last has so many rows; none is empty."""
    held: list[pa.Table] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += piece.num_rows
        while count >= rows:
            whole = pa.concat_tables(held)
            yield whole.slice(0, rows)
            held, count = [whole.slice(rows)], count - rows
    if count:
        yield pa.concat_tables(held)


def as_source(rows: pa.Table | Path | Source) -> Source:
    """Return rows as a source of pieces."""
    if isinstance(rows, pa.Table):
        return TableSource(rows)
    return ParquetSource(rows) if isinstance(rows, Path) else rows


def _piece_rows(rows: int, weight: int) -> int:
    if weight <= PIECE_BYTES:
        return PIECE_ROWS
    return max(1, min(PIECE_ROWS, rows * PIECE_BYTES // weight))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
