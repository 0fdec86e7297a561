"""What was found in a table, as plain values: rendered as text, JSON or a page by others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from d4cbuild.profile.drawing import Drawing


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram.

    Attributes:
        low: The least value it can hold, as text.
        high: Where it ends; for whole numbers the greatest it can hold.
        count: How many values.
    """

    low: str
    high: str
    count: int


@dataclass(frozen=True)
class Frequency:
    """A value, and how often it occurs.

    Attributes:
        value: The value as one short line.
        count: How many rows have it.
    """

    value: str
    count: int


@dataclass(frozen=True)
class Stored:
    """How a column is stored.

    Attributes:
        size: Bytes in the file.
        encodings: Names of Parquet's encodings, sorted.
        compression: Names of the codecs, sorted.
    """

    size: int
    encodings: tuple[str, ...]
    compression: tuple[str, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """A column.

    Attributes:
        name: Name.
        type: Logical type; Arrow's name for it where our grammar has none.
        nullable: Whether values may be missing.
        nulls: How many are.
        distinct: How many different values; none where they are more than are counted.
        least: The smallest value, as text.
        greatest: The largest.
        mean: Of numbers, without those that are not finite.
        not_finite: How many numbers are NaN or infinite.
        shortest: Characters of the shortest text.
        longest: Characters of the longest.
        bars: A histogram; of numbers, dates and times.
        top: The most frequent values; of texts and truth values, where these are few enough.
        examples: Values from places spread over the file.
        stored: How it is stored.
        is_unique: Whether it has several values, and none of them twice.
    """

    name: str
    type: str
    nullable: bool
    nulls: int
    distinct: int | None
    least: str | None
    greatest: str | None
    mean: float | None
    not_finite: int
    shortest: int | None
    longest: int | None
    bars: tuple[Bar, ...]
    top: tuple[Frequency, ...]
    examples: tuple[str, ...]
    stored: Stored
    is_unique: bool


@dataclass(frozen=True)
class GeometryProfile:
    """A column of shapes.

    Attributes:
        column: Its name.
        crs: The coordinate reference system that the file states, in words.
        kinds: How many shapes of each kind.
        vertices: How many points these have in all.
        empty: How many shapes have no point.
        unreadable: How many values are no WKB.
        bounds: Least x and y, greatest x and y, in units of the CRS.
        drawings: A map for a page and a small one for a list, where they were asked for and
            there is something to draw.
    """

    column: str
    crs: str
    kinds: dict[str, int]
    vertices: int
    empty: int
    unreadable: int
    bounds: tuple[float, float, float, float] | None
    drawings: tuple[Drawing, ...] = ()


@dataclass(frozen=True)
class RowGroup:
    """A row group.

    Attributes:
        rows: How many rows.
        size: Bytes in the file.
    """

    rows: int
    size: int


@dataclass(frozen=True)
class Layout:
    """How a Parquet file is laid out.

    Attributes:
        created_by: What wrote it, as it says itself.
        format: Version of the format.
        footer: Bytes of the footer.
        metadata: Keys of the metadata in the footer, sorted.
        groups: The row groups, in order.
    """

    created_by: str
    format: str
    footer: int
    metadata: tuple[str, ...]
    groups: tuple[RowGroup, ...]


@dataclass(frozen=True)
class TableProfile:
    """A table in a Parquet file.

    Attributes:
        rows: How many rows.
        columns: Its columns, without those that only cover shapes with boxes.
        geometries: Those that are shapes.
        layout: How it is laid out.
    """

    rows: int
    columns: tuple[ColumnProfile, ...]
    geometries: tuple[GeometryProfile, ...]
    layout: Layout

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values, without drawings."""
        record = asdict(self)
        for geometry in record["geometries"]:
            del geometry["drawings"]
        return record
