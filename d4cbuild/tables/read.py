"""Reading a table from a file of any common format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.json

from d4cbuild.errors import InputError
from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.geoparquet import known_crs
from d4cbuild.normalform.place import EXTENTS
from d4cbuild.normalform.reading import ParquetSource, Source
from d4cbuild.tables.delimited import read_csv
from d4cbuild.tables.options import TableOptions
from d4cbuild.tables.parquet import geo_columns, logical_schema
from d4cbuild.tables.shapes import WKB_FIELD, read_shapes


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
            InputError: if a column's type, or the CRS of its shapes, has no normal form.
        """
        for crs in self.crs.values():
            if not known_crs(crs):
                raise _unknown_crs(crs)
        try:
            plain = Declaration.of_schema(self.rows.schema, sort_by)
        except ValueError as error:
            raise InputError("a column has no normal form", found=str(error)) from error
        columns = (replace(c, crs=self.crs.get(c.name, c.crs)) for c in plain.columns)
        return replace(plain, columns=tuple(columns))


_Reader = Callable[[Path, TableOptions], ReadTable]


def read_any(path: Path, options: TableOptions | None = None) -> ReadTable:
    """Read a table, by the ending of its file's name.

    Args:
        path: The file; a folder for a file geodatabase.
        options: What has to be said of it.

    Raises:
        InputError: if the format is not known, or the file cannot be read.
    """
    options = TableOptions() if options is None else options
    reader = _READERS.get(_ending(path))
    if reader is None:
        raise InputError(
            "the format is not known by this ending",
            expected=", ".join(_READERS),
            found=path.suffix or "no ending",
            where=str(path),
            hint="rename the file, or convert it with ogr2ogr first",
        )
    if path.is_dir() and _ending(path) not in _FOLDERS:
        raise InputError("this is a folder, not a file", where=str(path))
    try:
        return reader(path, options)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "the file cannot be read",
            found=(str(error).splitlines() or [type(error).__name__])[0],
            where=str(path),
            hint="fetch or make it again, or convert it with ogr2ogr first",
        ) from error


def _ending(path: Path) -> str:
    two = "".join(path.suffixes[-2:]).lower()
    return two if two in _READERS else path.suffix.lower()


def _read_delimited(path: Path, options: TableOptions) -> ReadTable:
    return ReadTable(read_csv(path, options), {})


def _read_layer(path: Path, options: TableOptions) -> ReadTable:
    return ReadTable(*read_shapes(path, options))


def _plainly(read: Callable[[Path], ReadTable]) -> _Reader:
    """A reader of a format that says everything itself."""

    def reader(path: Path, options: TableOptions) -> ReadTable:
        options.refuse_all_but(where=str(path))
        return read(path)

    return reader


def _read_parquet(path: Path) -> ReadTable:
    file = ParquetSource(path)
    schema, kinds = logical_schema(file.schema)
    described = geo_columns(file.schema)
    fields = [f.with_metadata(WKB_FIELD) if f.name in kinds else f for f in schema]
    crs = {name: _crs_of(described[name].get("crs")) for name in kinds}
    return ReadTable(LogicalColumns(file, pa.schema(fields)), crs)


def _read_feather(path: Path) -> ReadTable:
    with pa.memory_map(str(path)) as stream:
        magic = stream.read(6)
    if magic == b"ARROW1":
        return ReadTable(pyarrow.feather.read_table(path, memory_map=False), {})
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        return ReadTable(reader.read_all(), {})


def _read_json_lines(path: Path) -> ReadTable:
    return ReadTable(pyarrow.json.read_json(path), {})


def _unknown_crs(crs: str) -> InputError:
    # Where GDAL knows no code it gives the whole definition; its first words are the name.
    kind, _, rest = crs.partition('["')
    return InputError(
        "the CRS of the shapes is not one the normal form knows",
        expected="one of " + ", ".join(EXTENTS),
        found=f"{rest.partition(chr(34))[0]} ({kind})" if rest else crs,
        hint="bring the shapes to one of them first: ogr2ogr -t_srs EPSG:4617 OUT.gpkg FILE",
    )


def _crs_of(projjson: object) -> str:
    if projjson is None:
        return "OGC:CRS84"
    record = projjson if isinstance(projjson, dict) else json.loads(str(projjson))
    identity = record.get("id", {})
    return f"{identity.get('authority', 'unknown')}:{identity.get('code', 'unknown')}"


_FOLDERS = frozenset({".gdb"})
_READERS: dict[str, _Reader] = {
    ".parquet": _plainly(_read_parquet),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), _plainly(_read_feather)),
    **dict.fromkeys((".csv", ".tsv"), _read_delimited),
    **dict.fromkeys((".jsonl", ".ndjson"), _plainly(_read_json_lines)),
    **dict.fromkeys((".geojson", ".gpkg", ".shp", ".fgb", ".gml", ".kml"), _read_layer),
    **dict.fromkeys((".gdb", ".gdb.zip", ".shp.zip"), _read_layer),
}
