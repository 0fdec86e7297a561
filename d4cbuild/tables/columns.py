"""Columns of a Parquet file, read in runs of rows, by as many threads as one likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.errors import InputError
from d4cbuild.normalform.reading import READ_BYTES, in_equal_pieces
from d4cbuild.tables.parquet import logical_schema

MOST_ROWS = 122_880
"""Rows of a run, at most."""
STEP_BYTES = 8 << 20


@dataclass(frozen=True)
class ParquetColumns:
    """A Parquet file that was opened and looks sound.

    Attributes:
        path: The file.
        metadata: Its footer.
        schema: Its columns, as pyarrow reads them.
        rows: How many rows.
    """

    path: Path
    metadata: pq.FileMetaData
    schema: pa.Schema
    rows: int

    @classmethod
    def open(cls, path: Path) -> ParquetColumns:
        """Read the footer and see whether it makes sense.

        Raises:
            InputError: if the file cannot be read as Parquet, or its footer contradicts itself.
        """
        try:
            with pq.ParquetFile(path) as file:
                metadata, schema = file.metadata, file.schema_arrow
            groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
            _ = metadata.created_by  # decoded only now, and it need not be text
        except (pa.ArrowException, OSError, ValueError, KeyError, UnicodeDecodeError) as error:
            raise _unreadable(path, _first_line(error)) from error
        if metadata.num_rows < 0 or min(groups, default=0) < 0 or sum(groups) != metadata.num_rows:
            found = f"{metadata.num_rows} rows, and row groups of {sum(groups)} in all"
            raise _unreadable(path, f"the footer contradicts itself: {found}")
        repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if repeated:
            raise InputError(
                "columns of the Parquet file have the same name",
                expected="a name of its own for each column",
                found=f"more than once: {', '.join(map(repr, repeated[:10]))}",
                where=str(path),
                hint="write it again with other names",
            )
        return cls(path, metadata, schema, metadata.num_rows)

    def logical(self) -> tuple[list[str], set[str]]:
        """Names of the columns that are the table, and which of these are shapes."""
        kept, kinds = logical_schema(self.schema)
        return list(kept.names), set(kinds)

    def bytes_of(self, names: Sequence[str]) -> int:
        """About how many bytes columns take in memory, by what the footer says."""
        wanted = set(names)
        total = 0
        for number in range(self.metadata.num_row_groups):
            group = self.metadata.row_group(number)
            for place in range(group.num_columns):
                chunk = group.column(place)
                if chunk.path_in_schema in wanted or chunk.path_in_schema.split(".")[0] in wanted:
                    # A dictionary's values are repeated once they are decoded.
                    total += max(chunk.total_uncompressed_size, 8 * chunk.num_values)
        return total

    def step(self, names: Sequence[str]) -> int:
        """How many rows of some columns are to be decoded at once."""
        weight = self.bytes_of(names)
        if weight <= STEP_BYTES:
            return MOST_ROWS
        return max(1, min(MOST_ROWS, self.rows * STEP_BYTES // weight))

    def runs(
        self, names: Sequence[str], rows: int, groups: Sequence[int] | None = None
    ) -> Iterator[pa.Table]:
        """Read columns in runs.

        Args:
            names: The columns.
            rows: Rows of each run but the last.
            groups: Only these row groups; all unless given.

        Raises:
            InputError: where the file turns out to be broken.
        """
        yield from in_equal_pieces(self._batches(list(names), rows, groups), rows)

    def _batches(
        self, names: list[str], rows: int, groups: Sequence[int] | None
    ) -> Iterator[pa.Table]:
        chosen = range(self.metadata.num_row_groups) if groups is None else groups
        left = sum(self.metadata.row_group(i).num_rows for i in chosen)
        if left == 0:
            return
        try:
            with pq.ParquetFile(
                self.path, metadata=self.metadata, pre_buffer=False, buffer_size=READ_BYTES
            ) as file:
                for batch in file.iter_batches(rows, row_groups=list(chosen), columns=names):
                    left -= batch.num_rows
                    yield pa.Table.from_batches([batch]).select(names)
        except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
            raise _unreadable(self.path, _first_line(error)) from error
        if left:
            raise _unreadable(self.path, f"{abs(left)} rows fewer or more than the footer says")

    def group_starts(self) -> list[int]:
        """The first row of each row group, and at the end the number of all rows."""
        starts = [0]
        for number in range(self.metadata.num_row_groups):
            starts.append(starts[-1] + self.metadata.row_group(number).num_rows)
        return starts

    def rows_at(self, names: Sequence[str], rows: Sequence[int]) -> pa.Table:
        """Read some columns of a few rows.

        Args:
            names: The columns.
            rows: Row numbers, ascending.
        """
        found = [self.schema.empty_table().select(list(names))]
        starts = self.group_starts()
        for number in range(self.metadata.num_row_groups):
            first, end = starts[number], starts[number + 1]
            wanted = [row - first for row in rows if first <= row < end]
            at = 0
            for run in self.runs(names, self.step(names), [number]) if wanted else ():
                here = [row - at for row in wanted if at <= row < at + run.num_rows]
                if here:
                    found.append(run.take(pa.array(here, pa.int64())))
                at += run.num_rows
                if wanted[-1] < at:
                    break
        return pa.concat_tables(found)


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        "the Parquet file cannot be read",
        found=found,
        where=str(path),
        hint="fetch or build it again",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
