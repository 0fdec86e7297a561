"""What a Parquet file of any writer holds: its logical columns, and its content digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.errors import InputError
from d4cbuild.normalform.content import ContentDigest

MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetContent:
    """The table in a Parquet file.

    Attributes:
        digest: Its content digest, ``blake3:…``; ``None`` where it has no normal form.
        reason: Why it has none.
        rows: How many rows.
        columns: Names of the logical columns, in order.
    """

    digest: str | None
    reason: str | None
    rows: int
    columns: tuple[str, ...]


def is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as Parquet does."""
    with path.open("rb") as stream:
        begins = stream.read(4) == MAGIC
        if not begins or stream.seek(0, 2) < 12:
            return False
        stream.seek(-4, 2)
        return stream.read(4) == MAGIC


def parquet_content(path: Path) -> ParquetContent:
    """Digest the table in a Parquet file, one row group in memory at a time.

    Columns that only repeat another one are left out: the covering box that GeoParquet metadata
    names. Columns that it says are WKB are shapes.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        file = pq.ParquetFile(path)
        schema, kinds = logical_schema(file.schema_arrow)
        try:
            digest = ContentDigest(schema, kinds)
            for group in range(file.num_row_groups):
                digest.update(file.read_row_group(group, columns=schema.names))
            found, reason = f"blake3:{digest.hexdigest()}", None
        except ValueError as error:
            if isinstance(error, pa.ArrowInvalid):
                raise
            found, reason = None, str(error)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            "the Parquet file cannot be read",
            found=str(error).splitlines()[0],
            where=str(path),
            hint="fetch or build it again",
        ) from error
    return ParquetContent(found, reason, file.metadata.num_rows, tuple(schema.names))


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
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # not what GeoParquet allows: then they are plain columns


def _covering_of(column: dict[str, Any]) -> str | None:
    try:
        return str(column["covering"]["bbox"]["xmin"][0])
    except (KeyError, TypeError, IndexError):
        return None
