"""Shapes as WKB, and files of them."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Ring = Sequence[tuple[float, float]]
LAMBERT = {
    "type": "ProjectedCRS",
    "name": "NAD83 / Statistics Canada Lambert",
    "coordinate_system": {"axis": [{"unit": "metre"}, {"unit": "metre"}]},
    "id": {"authority": "EPSG", "code": 3347},
}


def point(x: float, y: float) -> bytes:
    """A point."""
    return struct.pack("<BIdd", 1, 1, x, y)


def line(points: Ring) -> bytes:
    """A line."""
    return struct.pack("<BII", 1, 2, len(points)) + _numbers(points)


def polygon(*rings: Ring) -> bytes:
    """An area with holes."""
    parts = [struct.pack("<I", len(ring)) + _numbers(ring) for ring in rings]
    return struct.pack("<BII", 1, 3, len(rings)) + b"".join(parts)


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    """A ring."""
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]


def _numbers(points: Ring) -> bytes:
    return np.array(points, "<f8").tobytes()


def write(
    path: Path, shapes: Sequence[bytes | None], crs: Any = "left out", **columns: Any
) -> Path:
    """Write shapes as GeoParquet, with other columns beside them.

    Args:
        path: The file.
        shapes: WKB.
        crs: What it says of the CRS; it says nothing unless given.
        columns: Other columns.
    """
    entry = {"encoding": "WKB", "geometry_types": [], **({} if crs == "left out" else {"crs": crs})}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": entry}}
    table = pa.table({**columns, "geometry": pa.array(shapes, pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path
