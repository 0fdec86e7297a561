"""What an output was declared to be, as the job file carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from d4cbuild.normalform.types import arrow_type, type_name


@dataclass(frozen=True)
class ColumnDeclaration:
    """A declared column and the checks on its values; the recipe's ``[[outputs.columns]]``."""

    name: str
    kind: str
    arrow: pa.DataType
    nullable: bool = True
    unique: bool = False
    min: float | int | None = None
    max: float | int | None = None
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
        """Declare a table as it is, without further checks."""
        columns = tuple(
            ColumnDeclaration(
                field.name, "geometry" if _is_wkb(field) else "", arrow_of(field), field.nullable
            )
            for field in schema
        )
        return cls("table", columns, sort_by)

    @property
    def geometry(self) -> ColumnDeclaration | None:
        """The primary geometry column: the first one declared."""
        return next((column for column in self.columns if column.is_geometry), None)


def arrow_of(field: pa.Field) -> pa.DataType:
    """The plain Arrow type of a field."""
    from d4cbuild.normalform.types import logical_type

    return logical_type(field.type)


def _is_wkb(field: pa.Field) -> bool:
    metadata = field.metadata or {}
    return metadata.get(b"ARROW:extension:name") in (b"geoarrow.wkb", b"ogc.wkb")
