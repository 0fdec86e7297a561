"""What GDAL reads: GeoJSON, GeoPackage, Shapefile, FileGDB, GML, KML, GPX, FlatGeobuf."""

from __future__ import annotations

import pyarrow as pa

from .refusal import refuse, some
from .shapes import UNKNOWN, marked

GEOMETRY = "geometry"


def read_layer(
    path: str, *, layer: str | None = None, encoding: str | None = None, crs: str | None = None
) -> pa.Table:
    """Read one layer. Its shapes are in the column ``geometry``, x before y.

    Args:
        path: The file, as GDAL names it.
        layer: Which layer; needed where there are several.
        encoding: Of a Shapefile's texts, where the file does not say it.
        crs: ``authority:code`` of the CRS, where the file says none or only its words.
    """
    import pyogrio

    try:
        listed = [str(name) for name, _ in pyogrio.list_layers(path)]
        if layer is None and len(listed) != 1:
            refuse("the file has several layers", expected='layer = "…"', found=some(listed))
        if layer is not None and layer not in listed:
            refuse(f"the file has no layer {layer!r}", expected=f"one of {some(listed)}")
        facts, table = pyogrio.read_arrow(path, layer=layer or listed[0], encoding=encoding)
    except pyogrio.errors.DataSourceError as error:
        refuse("GDAL cannot read the file", found=str(error))
    name = facts["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        return table.replace_schema_metadata(None)
    if GEOMETRY in table.column_names and name != GEOMETRY:
        refuse(f"a column besides the shapes is called {GEOMETRY!r}")
    table = table.rename_columns([GEOMETRY if c == name else c for c in table.column_names])
    plain = pa.table({c: table.column(c).cast(_plain(table.schema.field(c))) for c in
                      table.column_names})  # fmt: skip
    return marked(plain, {GEOMETRY: crs or _code(facts["crs"])})


def _plain(field: pa.Field) -> pa.DataType:
    if field.name == GEOMETRY:
        return pa.binary()
    return pa.string() if pa.types.is_large_string(field.type) else field.type


def _code(crs: str | None) -> str:
    """The CRS as ``authority:code`` where it has one, else its words."""
    if crs is None:
        return UNKNOWN
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        found = CRS.from_user_input(crs).to_authority(min_confidence=100)
    except CRSError:
        return crs
    return crs if found is None else ":".join(found)
