"""What a Parquet file of any writer holds: its logical columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

MAGIC = b"PAR1"


def is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does."""
    with path.open("rb") as stream:
        begins = stream.read(4) == MAGIC
        if not begins or stream.seek(0, 2) < 12:
            return False
        stream.seek(-4, 2)
        return stream.read(4) == MAGIC


def logical_schema(schema: pa.Schema) -> tuple[pa.Schema, dict[str, str]]:
    """Leave out covering columns, and name the columns that are shapes.

    Returns:
        The schema without covering columns, and ``{column: "geometry"}``.
    """
    columns = geo_columns(schema)
    coverings = {_covering_of(column) for column in columns.values()}
    kept = [field for field in schema if field.name not in coverings]
    kinds = {name: "geometry" for name in columns if name in schema.names}
    return pa.schema(kept), kinds


def geo_columns(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """The columns that GeoParquet metadata describe as WKB; empty where there are none."""
    stated = (schema.metadata or {}).get(b"geo")
    if stated is None:
        return {}
    try:
        columns = json.loads(stated)["columns"]
        return {n: dict(c) for n, c in columns.items() if c.get("encoding") == "WKB"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}  # not what GeoParquet allows: then they are plain columns


def _covering_of(column: dict[str, Any]) -> str | None:
    try:
        return str(column["covering"]["bbox"]["xmin"][0])
    except (KeyError, TypeError, IndexError):
        return None
