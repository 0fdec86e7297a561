"""A small table with every kind of column, and changing one cell of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.record import Difference, Finding

ROWS = 40
GEO = (
    '{"version":"1.1.0","primary_column":"shape","columns":{"shape":{"encoding":"WKB",'
    '"geometry_types":["Polygon"]%s}}}'
)


def square(x: float) -> shapely.Polygon:
    """A square with a hole, counter-clockwise."""
    shell = [(x, 0), (x + 3, 0), (x + 3, 3), (x, 3), (x, 0)]
    hole = [(x + 1, 1), (x + 1, 2), (x + 2, 2), (x + 2, 1), (x + 1, 1)]
    return shapely.Polygon(shell, [hole])


def wkb(shape: Any, **how: Any) -> bytes:
    """A shape's bytes, as the normal form has them unless told otherwise."""
    return bytes(shapely.to_wkb(shape, **{"byte_order": 1, "flavor": "iso", **how}))


def cells() -> dict[str, list[Any]]:
    """The table, as lists."""
    return {
        "id": list(range(ROWS)),
        "name": [f"Montréal {i % 7}" for i in range(ROWS)],
        "note": [None if i % 5 == 0 else f"note {i}" for i in range(ROWS)],
        "size": [i / 7 for i in range(ROWS)],
        "flag": [i % 2 == 0 for i in range(ROWS)],
        "price": [Decimal(i) / 4 for i in range(ROWS)],
        "day": [dt.date(2020, 1, 1) + dt.timedelta(i) for i in range(ROWS)],
        "tags": [[f"t{i}", None] for i in range(ROWS)],
        "place": [{"x": i, "y": f"{i}"} for i in range(ROWS)],
        "shape": [wkb(square(i / 3)) for i in range(ROWS)],
    }


SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "name": pa.string(),
        "note": pa.string(),
        "size": pa.float64(),
        "flag": pa.bool_(),
        "price": pa.decimal128(10, 2),
        "day": pa.date32(),
        "tags": pa.list_(pa.string()),
        "place": pa.struct({"x": pa.int32(), "y": pa.string()}),
        "shape": pa.binary(),
    }
)


def table(columns: dict[str, list[Any]] | None = None, crs: str = "") -> pa.Table:
    """Columns as a table with GeoParquet metadata."""
    made = pa.table(columns or cells(), schema=SCHEMA)
    return made.replace_schema_metadata({"geo": GEO % crs})


def changed(column: str, row: int, value: Any) -> pa.Table:
    """The table with one other cell."""
    columns = cells()
    columns[column][row] = value
    return table(columns)


def differ(folder: Path, a: pa.Table, b: pa.Table, **options: Any) -> Difference:
    """Write two tables and compare the files."""
    pq.write_table(a, folder / "a.parquet")
    pq.write_table(b, folder / "b.parquet")
    return compare(folder / "a.parquet", folder / "b.parquet", DiffOptions(**options))


def only(found: Difference) -> Finding:
    """The one thing that was found besides how the file is written."""
    told = [f for f in found.findings if f.name not in ("footer", "encoding")]
    assert len(told) == 1, [(f.name, f.column, f.count) for f in told]
    return told[0]
