"""The types a column can be declared with, as text and as a tree.

Grammar::

    type      := simple | "decimal(" precision "," scale ")"
               | "list<" type ">" | "map<" type "," type ">"
               | "struct<" name ":" type ("," name ":" type)* ">"
    simple    := boolean | int8 … int64 | uint8 … uint64 | float32 | float64 | string | binary
               | date | time | timestamp | timestamp_utc | geometry

``timestamp`` has no zone (a wall clock's reading), ``timestamp_utc`` is an instant; both count
microseconds, as does ``time``.
"""

import re
from dataclasses import dataclass
from typing import Any

from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

SIMPLE_TYPES = (
    "boolean",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    "float32",
    "float64",
    "string",
    "binary",
    "date",
    "time",
    "timestamp",
    "timestamp_utc",
    "geometry",
)
MAXIMUM_DEPTH = LIMITS.type_depth
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,9}|[<>(),:])")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's logical type.

    Attributes:
        kind: A simple type's name, or ``decimal``, ``list``, ``map``, ``struct``.
        children: Inner types with their names, in order.
        precision: Digits of a decimal, else 0.
        scale: Digits of a decimal after its point, else 0.
    """

    kind: str
    children: tuple[tuple[str, "ColumnType"], ...] = ()
    precision: int = 0
    scale: int = 0

    @property
    def has_no_order(self) -> bool:
        """Whether rows cannot be sorted by it: shapes, lists, maps and structs."""
        return self.kind in ("geometry", "list", "map", "struct")

    def as_json(self) -> dict[str, Any]:
        """Return the tree as the normal form's job file carries it."""
        tree: dict[str, Any] = {"kind": self.kind}
        if self.children:
            tree["children"] = [{"name": n, "type": t.as_json()} for n, t in self.children]
        if self.kind == "decimal":
            tree |= {"precision": self.precision, "scale": self.scale}
        return tree

    def __str__(self) -> str:
        if self.kind == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.kind == "struct":
            return f"struct<{','.join(f'{name}:{inner}' for name, inner in self.children)}>"
        if self.children:
            return f"{self.kind}<{','.join(str(inner) for _, inner in self.children)}>"
        return self.kind


def parse_column_type(text: str) -> ColumnType:
    """Read a type.

    Raises:
        InputError: naming what is wrong; a ``ValueError`` for pydantic is made of it there.
    """
    tokens = _tokens(text)
    result = _parse(tokens, 0, text)
    if tokens:
        raise _wrong(text, f"nothing after {result}, but found {tokens[0]!r}")
    return result


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise _wrong(text, f"no {stripped[position]!r}")
        tokens.append(match[1])
        position = match.end()
    return tokens


def _parse(tokens: list[str], depth: int, text: str) -> ColumnType:
    if depth > MAXIMUM_DEPTH:
        raise _wrong(text, f"at most {MAXIMUM_DEPTH} levels of nesting")
    kind = _take(tokens, text)
    if kind in SIMPLE_TYPES:
        return ColumnType(kind)
    if kind == "decimal":
        return _parse_decimal(tokens, text)
    if kind == "list":
        _take(tokens, text, "<")
        inner = _parse(tokens, depth + 1, text)
        _take(tokens, text, ">")
        return ColumnType("list", (("element", inner),))
    if kind == "map":
        _take(tokens, text, "<")
        key = _parse(tokens, depth + 1, text)
        _take(tokens, text, ",")
        value = _parse(tokens, depth + 1, text)
        _take(tokens, text, ">")
        return ColumnType("map", (("key", key), ("value", value)))
    if kind == "struct":
        return _parse_struct(tokens, depth, text)
    raise _wrong(text, f"one of {', '.join((*SIMPLE_TYPES, 'decimal', 'list', 'map', 'struct'))}")


def _parse_decimal(tokens: list[str], text: str) -> ColumnType:
    _take(tokens, text, "(")
    precision = _take(tokens, text)
    _take(tokens, text, ",")
    scale = _take(tokens, text)
    _take(tokens, text, ")")
    if not (precision.isdigit() and scale.isdigit()):
        raise _wrong(text, "whole numbers: decimal(precision,scale)")
    if not 1 <= int(precision) <= 38 or int(scale) > int(precision):
        raise _wrong(text, "a precision of 1 to 38 and a scale no larger")
    return ColumnType("decimal", precision=int(precision), scale=int(scale))


def _parse_struct(tokens: list[str], depth: int, text: str) -> ColumnType:
    fields: list[tuple[str, ColumnType]] = []
    separator = _take(tokens, text, "<")
    while separator != ">":
        name = _take(tokens, text)
        if _FIELD_NAME.fullmatch(name) is None:
            raise _wrong(text, f"the name of a field, but found {name!r}")
        _take(tokens, text, ":")
        if name in dict(fields):
            raise _wrong(text, f"each field once, but {name!r} is there twice")
        fields.append((name, _parse(tokens, depth + 1, text)))
        separator = _take(tokens, text)
        if separator not in (",", ">"):
            raise _wrong(text, f"',' or '>' after field {name!r}")
    return ColumnType("struct", tuple(fields))


def _take(tokens: list[str], text: str, wanted: str | None = None) -> str:
    if not tokens or (wanted is not None and tokens[0] != wanted):
        raise _wrong(text, f"{wanted!r}" if wanted else "a type")
    return tokens.pop(0)


def _wrong(text: str, expected: str) -> InputError:
    return InputError(f"{text[:100]!r} is not a column type", expected=expected)
