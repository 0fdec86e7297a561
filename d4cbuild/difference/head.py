"""The first rows of a table, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.difference.shown import printable, shortened, shown
from d4cbuild.tables.columns import ParquetColumns

ROWS = 8


@dataclass(frozen=True)
class Head:
    """The first rows of a table.

    Attributes:
        columns: Name and type of each.
        rows: Cells as short texts, in the order of the columns.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]


def head_of(path: Path, count: int = ROWS) -> Head:
    """Read the first rows of a Parquet file, without the columns that only cover shapes.

    Args:
        path: The file.
        count: How many rows.

    Raises:
        InputError: if it cannot be read as Parquet.
    """
    table = ParquetColumns.open(path)
    names, shapes = table.logical()
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(count, columns=list(names))
        first = next(batches, table.schema.empty_table().select(list(names)))
    rows = tuple(
        tuple(_cell(first.column(name)[at], name in shapes) for name in names)
        for at in range(first.num_rows)
    )
    columns = tuple(
        (printable(name), "geometry" if name in shapes else str(table.schema.field(name).type))
        for name in names
    )
    return Head(columns, rows)


def _cell(value: pa.Scalar, is_shape: bool) -> str:
    if value.is_valid and isinstance(value, pa.StringScalar | pa.LargeStringScalar):
        return shortened(printable(value.as_py()))
    return shown(value, is_shape)
