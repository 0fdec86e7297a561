"""What an output was declared to be, as the job file carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from d4cbuild.normalform.types import arrow_type, logical_type, type_name

_HILBERT = "hilbert("


@dataclass(frozen=True)
class ColumnDeclaration:
    """A declared column and the checks on its values; the recipe's ``[[outputs.columns]]``."""

    name: str
    kind: str
    arrow: pa.DataType
    nullable: bool = True
    unique: bool = False
    min: float | int | str | None = None
    max: float | int | str | None = None
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    geometry_types: tuple[str, ...] | None = None
    crs: str = "OGC:CRS84"
    valid: str = "require"

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> ColumnDeclaration:
        """Read a column of the job file; ``type`` there is a tree."""
        options = {k: v for k, v in record.items() if k != "type" and v is not None}
        for name in ("enum", "geometry_types"):
            if name in options:
                options[name] = tuple(options[name])
        tree = record["type"]
        return cls(kind=tree["kind"], arrow=arrow_type(tree), **options)

    @property
    def is_geometry(self) -> bool:
        """Whether the column holds shapes."""
        return self.kind == "geometry"

    @property
    def type_name(self) -> str:
        """The declared type by the recipe's grammar."""
        return "geometry" if self.is_geometry else type_name(self.arrow)


@dataclass(frozen=True)
class SortKey:
    """One key of the row order.

    Attributes:
        column: The column it is made of.
        hilbert: Whether it is the place of the column's shape on the Hilbert curve.
    """

    column: str
    hilbert: bool = False

    @classmethod
    def parse(cls, text: str) -> SortKey:
        """Read ``name`` or ``hilbert(name)``."""
        if text.startswith(_HILBERT) and text.endswith(")"):
            return cls(text[len(_HILBERT) : -1], hilbert=True)
        return cls(text)

    @property
    def text(self) -> str:
        """The key as it is declared."""
        return f"{_HILBERT}{self.column})" if self.hilbert else self.column


@dataclass(frozen=True)
class Declaration:
    """A declared output.

    Attributes:
        name: Its name in the recipe.
        columns: Columns in order.
        sort_by: Keys of the row order: column names, or ``hilbert(<geometry column>)``.
        rows_min: Fewest rows.
        rows_max: Most rows, if bounded.
    """

    name: str
    columns: tuple[ColumnDeclaration, ...]
    sort_by: tuple[str, ...]
    rows_min: int = 0
    rows_max: int | None = None

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Declaration:
        """Read an output of the job file."""
        rows = record.get("rows", {})
        return cls(
            name=record["name"],
            columns=tuple(ColumnDeclaration.from_json(column) for column in record["columns"]),
            sort_by=tuple(record["sort_by"]),
            rows_min=rows.get("min", 0),
            rows_max=rows.get("max"),
        )

    @classmethod
    def of_schema(cls, schema: pa.Schema, sort_by: tuple[str, ...]) -> Declaration:
        """Declare a table as it is, without further checks.

        Raises:
            ValueError: if a column's type has no normal form.
        """
        columns = tuple(_as_it_is(field) for field in schema)
        return cls("table", columns, sort_by)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> ColumnDeclaration | None:
        """The column of a name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def geometry(self) -> ColumnDeclaration | None:
        """The primary geometry column: the first one declared."""
        return next((column for column in self.columns if column.is_geometry), None)

    @property
    def keys(self) -> tuple[SortKey, ...]:
        """The keys of the row order, each once."""
        return tuple(SortKey.parse(text) for text in dict.fromkeys(self.sort_by))

    @property
    def first_key(self) -> str | None:
        """The column the rows are sorted by first, where it is one of the file."""
        keys = self.keys
        return keys[0].column if keys and not keys[0].hilbert else None

    @property
    def recorded_order(self) -> list[str]:
        """The leading keys that are columns of the file, as ``sorting_columns`` states them."""
        leading = []
        for key in self.keys:
            if key.hilbert:
                break
            leading.append(key.column)
        return leading

    @property
    def content_schema(self) -> pa.Schema:
        """The declared columns, without what the file adds to them."""
        return pa.schema([pa.field(c.name, c.arrow, nullable=c.nullable) for c in self.columns])

    @property
    def kinds(self) -> dict[str, str]:
        """Names of the declared types, by column."""
        return {column.name: column.type_name for column in self.columns}


def _as_it_is(field: pa.Field) -> ColumnDeclaration:
    if _is_wkb(field):
        return ColumnDeclaration(field.name, "geometry", pa.binary(), field.nullable)
    name = type_name(field.type)
    return ColumnDeclaration(field.name, name, logical_type(field.type), field.nullable)


def _is_wkb(field: pa.Field) -> bool:
    name = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode()
    if isinstance(field.type, pa.BaseExtensionType):
        name = field.type.extension_name
    return name in ("geoarrow.wkb", "ogc.wkb")
