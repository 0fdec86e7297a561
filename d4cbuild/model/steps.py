"""The built-in steps of a recipe without code.

What each does, and what it refuses, is in :mod:`d4cbuild.steps`; here is how they are written.
"""

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, model_validator

from d4cbuild.errors import InputError
from d4cbuild.model.columntype import parse_column_type
from d4cbuild.model.fields import (
    CellRange,
    Count,
    Crs,
    Name,
    OutputName,
    Record,
    SourceName,
    Text,
)

OneCharacter = Annotated[str, Field(min_length=1, max_length=1)]
AtMostOne = Annotated[str, Field(max_length=1)]


class _Step(Record):
    into: OutputName | None = None
    """What to call the table that comes out; the next step takes it unless told otherwise."""


class _Change(_Step):
    table: OutputName | None = None
    """The table that is changed: that of the step before, unless given."""


class Read(_Step):
    """Read a raw file as a table."""

    step: Literal["read"]
    """Which step."""

    source: SourceName
    """The source's name."""

    format: Literal["csv", "xlsx", "json", "xml", "layer"] | None = None
    """Unless given, by the name's ending. ``layer`` is what GDAL reads."""

    members: Text | None = None
    """Of a zip or tar: which files, as a pattern such as ``*.csv``; all of them are one table."""

    member_column: Name | None = None
    """A new column with the path of the member that a row is from."""

    missing: Literal["refuse", "null"] | None = None
    """Whether columns that not all members have are refused (if not given) or null."""

    null: tuple[str, ...] | None = None
    """Texts that mean that there is no value; the empty text unless given."""

    encoding: Text | None = None
    """Of text, by the name Python has for it; ``utf-8`` unless given."""

    delimiter: OneCharacter | None = None
    """csv: between fields; a comma unless given."""

    quote: AtMostOne | None = None
    """csv: around fields; empty where quotes mean nothing."""

    skip_lines: Count | None = None
    """csv: lines before the names of the columns."""

    skip_last: Count | None = None
    """csv: rows at the end that are no data."""

    header: bool | None = None
    """csv, xlsx: whether the first row has the names of the columns; ``true`` unless given."""

    names: tuple[Name, ...] | None = None
    """csv, xlsx: names of the columns, instead of those in the file."""

    ragged: Literal["refuse", "pad"] | None = None
    """csv: whether rows that are too short are refused (if not given) or filled with nulls."""

    sheet: Name | None = None
    """xlsx: which sheet."""

    range: CellRange | None = None
    """xlsx: which cells, such as ``A6:P11007``."""

    records: Text | None = None
    """json: the path of the records, ``[]`` after each list. xml: an XPath of their elements."""

    columns: dict[str, Text] | None = None
    """xml: an XPath for each column, from a record's element on."""

    namespaces: dict[str, Text] | None = None
    """xml: prefixes that the paths use."""

    layer: Name | None = None
    """layer: which one, where a file has several."""

    crs: Crs | None = None
    """layer: the CRS, where the file does not say it: ``EPSG:…``."""

    @property
    def default_name(self) -> str:
        """What the table is called unless the recipe says so."""
        stem = re.sub(r"(\.[a-z][a-z0-9]*)+$", "", self.source)
        name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")[:40]
        return name if name[:1].isalpha() else f"t_{name}"[:40]


class Sql(_Step):
    """Ask the tables a question, in the SQL of DuckDB."""

    step: Literal["sql"]
    """Which step."""

    query: Annotated[str, Field(min_length=1, max_length=100_000)]
    """One statement; tables are known by their names, parameters as ``$name``."""


class Check(Record):
    """Stop the build where the data are not as the recipe says they are."""

    step: Literal["check"]
    """Which step."""

    query: Annotated[str, Field(min_length=1, max_length=100_000)]
    """As in a sql step. The rows it finds are what is wrong: there must be none."""

    wrong: Text
    """What is wrong where it finds rows."""


class Columns(_Change):
    """Choose, rename and clean columns, and give them types."""

    step: Literal["columns"]
    """Which step."""

    keep: tuple[Name, ...] | None = None
    """Columns to keep, in this order; all unless given."""

    drop: tuple[Name, ...] | None = None
    """Columns to leave out."""

    rename: dict[str, Name] | None = None
    """New names by old ones; what follows uses the new ones."""

    only: tuple[Name, ...] | None = None
    """Which columns the four after it are about; all that are text, unless given."""

    trim: bool | None = None
    """Cut white space at the ends; what is empty then is null."""

    null: tuple[str, ...] | None = None
    """Texts that mean that there is no value."""

    thousands: OneCharacter | None = None
    """The sign between thousands; needs ``only``."""

    decimal: OneCharacter | None = None
    """The sign before decimals, where it is not a point; needs ``only``."""

    replace: dict[str, dict[str, str]] | None = None
    """By column: other texts for whole texts."""

    angles: tuple[Name, ...] | None = None
    """Columns of degrees, minutes and seconds; they become decimal degrees."""

    types: dict[str, str] | None = None
    """Types by column, for steps that follow; at the end the declared types are given anyway."""

    formats: dict[str, Text] | None = None
    """By column of ``types``: how its dates or times are written, such as ``%d/%m/%Y``."""

    zone: Text | None = None
    """For ``timestamp_utc``: where the clock stood: ``America/Halifax``, or ``-06:00``."""

    @model_validator(mode="after")
    def _is_coherent(self) -> "Columns":
        if (self.thousands or self.decimal) and not self.only:
            raise ValueError("thousands and decimal need only: the columns that hold numbers")
        if other := sorted((self.formats or {}).keys() - (self.types or {}).keys()):
            raise ValueError(f"formats are for columns of types, not for {', '.join(other)}")
        for name, kind in (self.types or {}).items():
            try:
                parse_column_type(kind)
            except InputError as error:
                raise ValueError(f"types.{name}: {error.message}") from error
        return self


class Geometry(_Change):
    """Make shapes, or change them."""

    step: Literal["geometry"]
    """Which step."""

    column: Name | None = None
    """The column of shapes; ``geometry`` unless given."""

    x: Name | None = None
    """With ``y``: columns to make points of, easting or longitude; they are used up."""

    y: Name | None = None
    """Northing or latitude."""

    wkt: Name | None = None
    """A column of text to make shapes of; it is used up."""

    crs: Crs | None = None
    """The CRS of the coordinates, where shapes are made or the file does not say it."""

    swap: bool | None = None
    """Exchange x and y."""

    drop_z: bool | None = None
    """Leave out heights and measures."""

    to_crs: Crs | None = None
    """The CRS to project to."""

    pipeline: Text | None = None
    """How PROJ shall project, instead of what it finds best without grids."""

    decimals: Annotated[int, Field(ge=0, le=15)] | None = None
    """Digits to round coordinates to."""

    make_valid: bool | None = None
    """Mend invalid shapes."""

    multi: bool | None = None
    """Make single shapes multiple ones."""

    @model_validator(mode="after")
    def _is_coherent(self) -> "Geometry":
        if (self.x is None) != (self.y is None):
            raise ValueError("points need both x and y")
        if self.x is not None and self.wkt is not None:
            raise ValueError("shapes are made of x and y, or of wkt, not of both")
        if (self.x or self.wkt) and self.crs is None:
            raise ValueError('the CRS of the coordinates must be said: crs = "EPSG:4326" or other')
        if self.pipeline is not None and self.to_crs is None:
            raise ValueError("a pipeline needs to_crs: the CRS it leads to")
        return self


class Union(_Step):
    """Put tables below each other."""

    step: Literal["union"]
    """Which step."""

    tables: Annotated[tuple[OutputName, ...], Field(min_length=2)]
    """Which tables."""

    missing: Literal["refuse", "null"] | None = None
    """Whether columns that not all have are refused (if not given) or null."""

    table_column: Name | None = None
    """A new column with the name of the table that a row is from."""


class Join(_Change):
    """Put columns of another table beside those of a table; no row is doubled."""

    step: Literal["join"]
    """Which step."""

    other: OutputName
    """The other table; it has at most one row for each key."""

    on: Annotated[dict[str, Name], Field(min_length=1)]
    """The key: a column of the table, and the column of the other that must equal it."""

    columns: tuple[Name, ...] | None = None
    """Columns to take; all but the key unless given."""

    unmatched: Literal["refuse", "null", "drop"] | None = None
    """What is done about rows without a partner; refused unless given."""


class Raster(Record):
    """Write a raster as Cloud-Optimised GeoTIFF: an output of ``format = "file"``."""

    step: Literal["raster"]
    """Which step."""

    source: SourceName
    """The source's name."""

    output: OutputName
    """The output's name."""

    members: Text | None = None
    """Of a zip or tar: which file."""

    resampling: Literal["average", "nearest", "bilinear", "cubic", "mode"] | None = None
    """How overviews are made; ``average`` unless given. ``nearest`` or ``mode`` for classes."""

    block: Literal[128, 256, 512, 1024] | None = None
    """Cells along a tile's side; 512 unless given."""


Step: TypeAlias = Annotated[
    Read | Sql | Check | Columns | Geometry | Union | Join | Raster,
    Field(discriminator="step"),
]
"""One step."""


def options_of(step: Record, *others: str) -> dict[str, Any]:
    """The options a step was given, without what is named."""
    record = step.model_dump(mode="python", by_alias=True, exclude_none=True)
    return {name: value for name, value in record.items() if name not in ("step", *others)}
