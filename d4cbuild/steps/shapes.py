"""Columns of shapes: WKB, with their CRS in the field's metadata."""

from __future__ import annotations

import pyarrow as pa

_CRS = b"d4c:crs"
_SAME = {"OGC:CRS84": "EPSG:4326"}
UNKNOWN = "unknown"


def shape_field(name: str, crs: str) -> pa.Field:
    """A column of shapes.

    Args:
        name: The column's name.
        crs: ``authority:code``, WKT, or ``unknown``. Coordinates are x, y: longitude, latitude.
    """
    return pa.field(name, pa.binary(), metadata={_CRS: crs.encode()})


def shape_columns(table: pa.Table) -> dict[str, str]:
    """The columns of shapes, with the CRS of each."""
    return {
        field.name: field.metadata[_CRS].decode()
        for field in table.schema
        if field.metadata and _CRS in field.metadata
    }


def same_crs(one: str, other: str) -> bool:
    """Whether two names mean the same. In a file, EPSG:4326 is longitude, latitude."""
    return _SAME.get(one, one) == _SAME.get(other, other)


def marked(table: pa.Table, shapes: dict[str, str]) -> pa.Table:
    """A table whose columns of shapes are known as such."""
    fields = [
        shape_field(field.name, shapes[field.name])
        if field.name in shapes and pa.types.is_binary(field.type)
        else field.with_metadata(None)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))
