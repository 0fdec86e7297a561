"""A column of an output: its type, and the checks its values must pass."""

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from d4cbuild.errors import InputError
from d4cbuild.model.columntype import ColumnType, parse_column_type
from d4cbuild.model.fields import Bilingual, Bound, Listed, Name, Record
from d4cbuild.model.pattern import check_pattern

GEOMETRY_TYPES = (
    "Point",
    "LineString",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)


class Column(Record):
    """A column of an output, with the checks its values must pass."""

    name: Name
    """Name in the file."""

    type: Annotated[str, Field(max_length=10_000)]
    """Logical type; the grammar is in :mod:`d4cbuild.model.columntype`."""

    nullable: bool = False
    """Whether values may be missing."""

    description: Bilingual
    """What the column holds."""

    unique: bool = False
    """Whether no value occurs twice. Nulls do not count."""

    min: Bound | None = None
    """Smallest value allowed: a number, or ISO 8601 text where the column holds dates or times."""

    max: Bound | None = None
    """Largest value allowed, written as ``min`` is."""

    enum: Annotated[tuple[Listed, ...], Field(min_length=1)] | None = None
    """The values allowed, for text, whole numbers, decimals, dates and times."""

    pattern: str | None = None
    """A regular expression (RE2) that every text must match from end to end."""

    geometry_types: tuple[Literal[GEOMETRY_TYPES], ...] | None = None  # type: ignore[valid-type]
    """For geometry: the kinds allowed."""

    crs: Literal["OGC:CRS84", "EPSG:4326", "EPSG:4617", "EPSG:3347", "EPSG:3979"] | None = None
    """For geometry: the coordinate reference system."""

    valid: Literal["require", "repair", "as-is"] | None = None
    """For geometry: what is done about invalid shapes. ``require`` unless given."""

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, text: str) -> str:
        try:
            return str(parse_column_type(text))
        except InputError as error:
            raise ValueError(f"{error.message}; expected {error.expected}") from error

    @property
    def logical_type(self) -> ColumnType:
        """The type as a tree."""
        return parse_column_type(self.type)

    @model_validator(mode="after")
    def _options_fit_type(self) -> "Column":
        geometry_only = {
            "geometry_types": self.geometry_types,
            "crs": self.crs,
            "valid": self.valid,
        }
        given = [name for name, value in geometry_only.items() if value is not None]
        if given and self.type != "geometry":
            raise ValueError(f"{', '.join(given)} is for geometry columns, not {self.type}")
        if self.pattern is not None and self.type != "string":
            raise ValueError(f"pattern is for string columns, not {self.type}")
        if self.unique and self.logical_type.has_no_order:
            raise ValueError(f"unique is for single values, not {self.type}")
        self._check_bounds()
        self._check_enum()
        return self

    @field_validator("pattern")
    @classmethod
    def _pattern_is_re2(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)

    def _check_bounds(self) -> None:
        bounds: list[Any] = []
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None:
                if self.logical_type.kind not in (*_NUMBERS, *_MOMENTS):
                    raise ValueError(
                        f"{name} is for numbers, dates and times, not {self.type}"
                        + ("; use pattern or enum" if self.type == "string" else "")
                    )
                bounds.append(_value(bound, self.logical_type, name))
        if len(bounds) == 2 and bounds[1] < bounds[0]:
            raise ValueError(f"max {self.max} is below min {self.min}")

    def _check_enum(self) -> None:
        if self.enum is None:
            return
        kind = self.logical_type.kind
        if kind not in ("string", "decimal", *_INTEGERS, *_MOMENTS):
            raise ValueError(f"enum is for text, whole numbers, dates and times, not {self.type}")
        values = [_value(value, self.logical_type, "enum") for value in self.enum]
        if kind in _INTEGERS:
            low, high = _INTEGERS[kind]
            if beyond := [value for value in self.enum if not low <= int(value) <= high]:
                raise ValueError(f"enum has {beyond[0]}, which no {kind} can hold")
        if len(set(values)) < len(values):
            raise ValueError("enum has a value twice")


_INTEGERS = {
    **{f"int{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
}
_NUMBERS = (*_INTEGERS, "float32", "float64", "decimal")
_MOMENTS = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp_utc": datetime.fromisoformat,
}


def _value(value: str | int | float, column: ColumnType, rule: str) -> Any:
    """A declared value as something to compare; a ``ValueError`` if the column has no such."""
    wrong = ValueError(f"{rule} has {value!r}, which is no {column}")
    try:
        if column.kind in _MOMENTS:
            if not isinstance(value, str):
                raise wrong
            moment = _MOMENTS[column.kind](value)
            if isinstance(moment, datetime | time):
                zoned = moment.tzinfo is not None
                if zoned != (column.kind == "timestamp_utc"):
                    raise ValueError(f"{wrong}: it has {'a' if zoned else 'no'} zone")
            return moment
        if column.kind == "decimal":
            return Decimal(value if isinstance(value, int | str) else repr(value))
    except (InvalidOperation, ValueError) as error:
        raise (error if str(error).startswith(str(wrong)) else wrong) from error
    if isinstance(value, str) != (column.kind == "string"):
        raise wrong
    return value
