"""Reading what GDAL reads: GeoPackage, GeoJSON, Shapefile, file geodatabases and others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from d4cbuild.errors import InputError
from d4cbuild.tables.options import TableOptions

GEOMETRY = "geometry"
WKB_FIELD = {b"ARROW:extension:name": b"geoarrow.wkb"}


def read_shapes(path: Path, options: TableOptions) -> tuple[pa.Table, dict[str, str]]:
    """Read one layer.

    Returns:
        Its table, and the CRS of its column of shapes by that column's name.

    Raises:
        InputError: if GDAL is missing or cannot read the file, or it is not said which of several
            layers is meant.
    """
    options.refuse_all_but("layer", "encoding", where=str(path))
    try:
        import pyogrio
    except ImportError as error:
        raise InputError(
            "reading this format needs GDAL",
            where=str(path),
            hint="pip install 'd4cbuild[geo]', or convert the file to GeoParquet first",
        ) from error
    try:
        with _nothing_left_beside(path) as place:
            layer = _layer(pyogrio.list_layers(place), options.layer, path)
            facts, table = pyogrio.read_arrow(place, layer=layer, encoding=options.encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError("GDAL cannot read the file", found=str(error), where=str(path)) from error
    name = facts["geometry_name"] or "wkb_geometry"
    names = [GEOMETRY if column == name else column for column in table.column_names]
    fields = [
        pa.field(GEOMETRY, pa.binary(), metadata=WKB_FIELD) if n == GEOMETRY else f.with_name(n)
        for n, f in zip(names, table.schema, strict=True)
    ]
    crs = {GEOMETRY: facts["crs"] or "unknown"} if GEOMETRY in names else {}
    return table.rename_columns(names).cast(pa.schema(fields)), crs


@contextmanager
def _nothing_left_beside(path: Path) -> Iterator[Path]:
    """Where GDAL is to find a file. Of GML it notes what it found in a file beside it."""
    if path.suffix.lower() != ".gml":
        yield path
        return
    with TemporaryDirectory() as folder:
        place = Path(folder, path.name)
        place.symlink_to(path.absolute())
        yield place


def _layer(listed: Any, wanted: str | None, path: Path) -> str:
    names = [str(name) for name, _ in listed]
    if wanted in names:
        return str(wanted)
    if wanted is None and len(names) == 1:
        return names[0]
    raise InputError(
        "there is no such layer" if wanted is not None else "the file has several layers",
        expected="one of " + ", ".join(names) if names else "a layer; the file has none",
        found=wanted,
        where=str(path),
        hint=f"--layer {names[0]!r}" if names else None,
    )
