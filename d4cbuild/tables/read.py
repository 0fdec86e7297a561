"""Reading a table from a file of any common format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.json

from d4cbuild.errors import InputError
from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.reading import ParquetSource, Source
from d4cbuild.tables.parquet import geo_columns, logical_schema

GEOMETRY = "geometry"
_WKB_FIELD = {b"ARROW:extension:name": b"geoarrow.wkb"}


class LogicalColumns:
    """The logical columns of a Parquet file, read piece by piece.

    Args:
        file: The file.
        schema: What to take of it, and how to see it.
    """

    def __init__(self, file: ParquetSource, schema: pa.Schema) -> None:
        self._file = file
        self.schema = schema
        self.rows = file.rows

    def pieces(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield all rows in pieces; see :class:`~d4cbuild.normalform.reading.Source`."""
        names = self.schema.names if columns is None else columns
        wanted = pa.schema([self.schema.field(name) for name in names])
        for piece in self._file.pieces(names):
            yield piece.select(names).cast(wanted)

    def weight(self) -> int:
        """About how many bytes all rows take in memory."""
        return self._file.weight()


@dataclass(frozen=True)
class ReadTable:
    """A table from a file.

    Attributes:
        rows: A table in memory, or one to be read piece by piece; columns of shapes hold WKB.
        crs: The CRS of each column of shapes, ``authority:code``.
    """

    rows: pa.Table | Source
    crs: dict[str, str]

    def declared(self, sort_by: tuple[str, ...]) -> Declaration:
        """Declare the table as it is.

        Raises:
            InputError: if a column's type has no normal form.
        """
        try:
            plain = Declaration.of_schema(self.rows.schema, sort_by)
        except ValueError as error:
            raise InputError("a column has no normal form", found=str(error)) from error
        columns = (replace(c, crs=self.crs.get(c.name, c.crs)) for c in plain.columns)
        return replace(plain, columns=tuple(columns))


def read_any(path: Path) -> ReadTable:
    """Read a table, by the ending of its file's name.

    Raises:
        InputError: if the format is not known, or the file cannot be read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            "the format is not known by this ending",
            expected=", ".join(_READERS),
            found=path.suffix or "no ending",
            where=str(path),
            hint="rename the file, or convert it with ogr2ogr first",
        )
    try:
        return reader(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "the file cannot be read", found=str(error).splitlines()[0], where=str(path)
        ) from error


def _read_parquet(path: Path) -> ReadTable:
    file = ParquetSource(path)
    schema, kinds = logical_schema(file.schema)
    described = geo_columns(file.schema)
    fields = [f.with_metadata(_WKB_FIELD) if f.name in kinds else f for f in schema]
    crs = {name: _crs_of(described[name].get("crs")) for name in kinds}
    return ReadTable(LogicalColumns(file, pa.schema(fields)), crs)


def _read_feather(path: Path) -> ReadTable:
    with pa.memory_map(str(path)) as stream:
        magic = stream.read(6)
    if magic == b"ARROW1":
        return ReadTable(pyarrow.feather.read_table(path, memory_map=False), {})
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        return ReadTable(reader.read_all(), {})


def _read_csv(path: Path) -> ReadTable:
    # Text as it is: an empty field is null, and a code such as 0123 is not a number.
    with path.open("rb") as stream:
        names = pyarrow.csv.open_csv(stream).schema.names
    types = dict.fromkeys(names, pa.string())
    options = pyarrow.csv.ConvertOptions(
        column_types=types, strings_can_be_null=True, null_values=[""]
    )
    return ReadTable(pyarrow.csv.read_csv(path, convert_options=options), {})


def _read_json_lines(path: Path) -> ReadTable:
    return ReadTable(pyarrow.json.read_json(path), {})


def _read_shapes(path: Path) -> ReadTable:
    try:
        import pyogrio
    except ImportError as error:
        raise InputError(
            "reading this format needs GDAL",
            where=str(path),
            hint="pip install 'd4cbuild[geo]', or convert the file to GeoParquet first",
        ) from error
    try:
        facts, table = pyogrio.read_arrow(path)
    except pyogrio.errors.DataSourceError as error:
        raise InputError("GDAL cannot read the file", found=str(error), where=str(path)) from error
    name = facts["geometry_name"] or "wkb_geometry"
    names = [GEOMETRY if column == name else column for column in table.column_names]
    fields = [
        pa.field(GEOMETRY, pa.binary(), metadata=_WKB_FIELD) if n == GEOMETRY else f.with_name(n)
        for n, f in zip(names, table.schema, strict=True)
    ]
    crs = {GEOMETRY: facts["crs"] or "unknown"} if GEOMETRY in names else {}
    return ReadTable(table.rename_columns(names).cast(pa.schema(fields)), crs)


def _crs_of(projjson: object) -> str:
    if projjson is None:
        return "OGC:CRS84"
    record = projjson if isinstance(projjson, dict) else json.loads(str(projjson))
    identity = record.get("id", {})
    return f"{identity.get('authority', 'unknown')}:{identity.get('code', 'unknown')}"


_READERS: dict[str, Callable[[Path], ReadTable]] = {
    ".parquet": _read_parquet,
    ".arrow": _read_feather,
    ".feather": _read_feather,
    ".ipc": _read_feather,
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    **dict.fromkeys((".geojson", ".gpkg", ".shp", ".fgb", ".gml", ".kml"), _read_shapes),
}
