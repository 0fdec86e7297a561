"""Raw files as tables, by format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .combining import union
from .delimited import read_delimited
from .layers import read_layer
from .members import gdal_path, is_archive, members_of, read_member
from .records import read_json, read_xml
from .refusal import refuse, some
from .shapes import marked, shape_columns
from .workbook import read_workbook

LAYER = "layer"
FORMATS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    **dict.fromkeys((".json",), "json"),
    **dict.fromkeys((".xml",), "xml"),
    **dict.fromkeys((".geojson", ".gpkg", ".shp", ".gdb", ".gml", ".kml", ".gpx", ".fgb"), LAYER),
}
_READERS: dict[str, Callable[..., pa.Table]] = {
    "csv": read_delimited,
    "xlsx": read_workbook,
    "json": read_json,
    "xml": read_xml,
}


@dataclass(frozen=True)
class _Part:
    """A file, or a member of an archive: read as bytes, or by GDAL by a path."""

    name: str
    path: Path
    member: str | None

    def data(self) -> bytes:
        return (
            self.path.read_bytes() if self.member is None else read_member(self.path, self.member)
        )

    def gdal(self) -> str:
        return str(self.path) if self.member is None else gdal_path(self.path, self.member)


def read_source(
    path: Path,
    *,
    format: str | None = None,
    members: str | None = None,
    member_column: str | None = None,
    missing: str = "refuse",
    null: Sequence[str] = ("",),
    **options: Any,
) -> pa.Table:
    """Read a raw file. Columns of text formats are text; other formats have types.

    Args:
        path: The file.
        format: ``csv``, ``xlsx``, ``json``, ``xml`` or ``layer`` (what GDAL reads); by the name's
            ending unless given.
        members: Where the file is an archive: a pattern; all that match are one table.
        member_column: A new column with the member's path.
        missing: What to do about columns that not all members have: ``refuse`` or ``null``.
        null: Texts that mean that there is no value.
        options: Those of the format.
    """
    parts = list(_parts(path, members))
    tables = {part.name: _read(part, format, options) for part in parts}
    whole = _below_each_other(tables, member_column, missing)
    return _without(whole, null)


def _parts(path: Path, members: str | None) -> Iterator[_Part]:
    if members is None:
        if is_archive(path):
            refuse(
                f"{path.name} is an archive",
                expected="which of its members to read",
                found=some(members_of(path, "*")),
                hint='members = "…", such as members = "*.csv"',
            )
        yield _Part(path.name, path, None)
        return
    for member in members_of(path, members):
        yield _Part(member, path, member)


def _read(part: _Part, format: str | None, options: dict[str, Any]) -> pa.Table:
    ending = Path(part.name).suffix.lower()
    chosen = format or FORMATS.get(ending)
    if chosen is None:
        refuse(
            f"the format of {part.name} is not known by its name",
            expected=some(sorted({*FORMATS.values()})),
            hint='format = "…"',
        )
    if chosen == "csv" and ending == ".tsv":
        options = {"delimiter": "\t"} | options
    reader = read_layer if chosen == LAYER else _READERS[chosen]
    known = signature(reader).parameters
    if other := [name for name in options if name not in known]:
        refuse(f"{part.name} is read as {chosen}, for which these mean nothing", found=some(other))
    if chosen == LAYER:
        return read_layer(part.gdal(), **options)
    return _READERS[chosen](part.data(), part.name, **options)


def _below_each_other(
    tables: dict[str, pa.Table], member_column: str | None, missing: str
) -> pa.Table:
    if member_column is None and len(tables) == 1:
        return next(iter(tables.values()))
    return union(tables, missing=missing, table_column=member_column)


def _without(table: pa.Table, null: Sequence[str]) -> pa.Table:
    """Texts that mean that there is no value, as nulls."""
    shapes = shape_columns(table)
    gone = pa.array(list(null), pa.string())
    kept = [
        pc.if_else(pc.is_in(column, gone), pa.scalar(None, pa.string()), column)
        if pa.types.is_string(column.type) and len(gone)
        else column
        for column in table.columns
    ]
    return marked(pa.table(kept, schema=table.schema), shapes)
