"""A column of an output: its type, and the checks its values must pass."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from d4cbuild.errors import InputError
from d4cbuild.model.columntype import ColumnType, parse_column_type
from d4cbuild.model.fields import Bilingual, Bound, Listed, Name, Record, require_fit
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
        require_fit([*self._misfits(), *self._bound_misfits(), *self._enum_misfits()])
        return self

    def _misfits(self) -> Iterator[tuple[str, str]]:
        for name in ("geometry_types", "crs", "valid"):
            if getattr(self, name) is not None and self.type != "geometry":
                yield name, f"{name} is for geometry columns, not {self.type}"
        if self.pattern is not None and self.type != "string":
            yield "pattern", f"pattern is for string columns, not {self.type}"
        if self.unique and self.logical_type.has_no_order:
            yield "unique", f"unique is for single values, not {self.type}"

    @field_validator("pattern")
    @classmethod
    def _pattern_is_re2(cls, pattern: str | None) -> str | None:
        return None if pattern is None else check_pattern(pattern)

    def _bound_misfits(self) -> Iterator[tuple[str, str]]:
        bounds: list[Any] = []
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is None:
                continue
            if self.logical_type.kind not in (*_NUMBERS, *_MOMENTS):
                hint = "; use pattern or enum" if self.type == "string" else ""
                yield name, f"{name} is for numbers, dates and times, not {self.type}{hint}"
                continue
            try:
                bounds.append(_value(bound, self.logical_type, name))
            except ValueError as error:
                yield name, str(error)
        if len(bounds) == 2 and bounds[1] < bounds[0]:
            yield "max", f"max {self.max} is below min {self.min}"

    def _enum_misfits(self) -> Iterator[tuple[str, str]]:
        if self.enum is None:
            return
        kind = self.logical_type.kind
        if kind not in ("string", "decimal", *_INTEGERS, *_MOMENTS):
            yield "enum", f"enum is for text, whole numbers, dates and times, not {self.type}"
            return
        values: list[Any] = []
        for i, listed in enumerate(self.enum):
            try:
                value = _value(listed, self.logical_type, "enum")
            except ValueError as error:
                yield f"enum[{i}]", str(error)
                continue
            if kind in _INTEGERS and not _INTEGERS[kind][0] <= value <= _INTEGERS[kind][1]:
                yield f"enum[{i}]", f"enum has {listed}, which no {kind} can hold"
            if value in values:
                yield f"enum[{i}]", "enum has a value twice"
            values.append(value)


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
            number = Decimal(value if isinstance(value, int | str) else repr(value))
            if not number.is_finite():
                raise wrong  # "NaN" is a Decimal, but none to compare with
            return number
    except (InvalidOperation, ValueError) as error:
        raise (error if str(error).startswith(str(wrong)) else wrong) from error
    if isinstance(value, str) != (column.kind == "string"):
        raise wrong
    return value
