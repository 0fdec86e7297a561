"""Columns: chosen, renamed, cleaned, and given types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .angles import degrees_of
from .casting import cast, cast_moments
from .refusal import refuse, some
from .shapes import marked, shape_columns

_MOMENTS = ("date", "time", "timestamp", "timestamp_utc")


def change_columns(
    table: pa.Table,
    *,
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    only: Sequence[str] = (),
    trim: bool = False,
    null: Sequence[str] = (),
    replace: Mapping[str, Mapping[str, str]] | None = None,
    decimal: str = "",
    thousands: str = "",
    angles: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    zone: str | None = None,
) -> pa.Table:
    """Change columns; what is named is done in the order of the arguments.

    Args:
        table: The table.
        keep: Columns to keep, in this order; all unless given.
        drop: Columns to leave out.
        rename: New names by old ones. From here on columns have their new names.
        only: Which columns the next four are about: all that are text, unless given.
        trim: Cut white space at the ends.
        null: Texts that mean that there is no value.
        replace: By column: what to write instead of a whole text.
        decimal: The sign before decimals, where it is not a point.
        thousands: The sign between thousands, to be left out. Both only with ``only``.
        angles: Columns with degrees, minutes and seconds: from then on decimal degrees.
        types: Types by column, as in ``outputs.columns``.
        formats: By column of ``types``: how a date or time is written, as in Python's ``strptime``.
        zone: For all ``timestamp_utc`` of ``types``: where the clock stood.
    """
    shapes = shape_columns(table)
    table = _chosen(table, keep, drop)
    renamed = dict(rename or {})
    _require(table, renamed, "rename")
    names = [renamed.get(name, name) for name in table.column_names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        refuse("columns would have the same name", found=some(twice))
    table = table.rename_columns(names)
    shapes = {renamed.get(name, name): crs for name, crs in shapes.items()}
    table = _texts(table, only, _cleaning(trim, null, decimal, thousands))
    for name, values in (replace or {}).items():
        _require(table, [name], "replace")
        table = _set(table, name, _replaced(table.column(name), name, values))
    _require(table, angles, "angles")
    for name in angles:
        table = _set(table, name, degrees_of(table.column(name), name))
    for name, kind in (types or {}).items():
        _require(table, [name], "types")
        table = _set(table, name, _typed(table.column(name), name, kind, formats or {}, zone))
    if untyped := [name for name in formats or {} if name not in (types or {})]:
        refuse("formats are for columns of types", found=some(untyped))
    return marked(table, {name: crs for name, crs in shapes.items() if name in table.column_names})


def _chosen(table: pa.Table, keep: Sequence[str], drop: Sequence[str]) -> pa.Table:
    _require(table, keep, "keep")
    _require(table, drop, "drop")
    names = list(keep) or table.column_names
    return table.select([name for name in names if name not in drop])


def _require(table: pa.Table, names: Any, option: str) -> None:
    if absent := [name for name in names if name not in table.column_names]:
        refuse(
            f"{option} names columns that are not there",
            expected=f"of {some(table.column_names)}",
            found=some(absent),
        )


def _set(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, column)


_Change = Callable[[pa.ChunkedArray], pa.ChunkedArray]


def _cleaning(trim: bool, null: Sequence[str], decimal: str, thousands: str) -> list[_Change]:
    changes: list[_Change] = []
    if trim:
        changes.append(pc.utf8_trim_whitespace)
        changes.append(lambda column: _without(column, [""]))
    if null:
        changes.append(lambda column: _without(column, null))
    if thousands:
        changes.append(lambda column: pc.replace_substring(column, thousands, ""))
    if decimal:
        changes.append(lambda column: pc.replace_substring(column, decimal, "."))
    return changes


def _texts(table: pa.Table, only: Sequence[str], changes: list[_Change]) -> pa.Table:
    _require(table, only, "only")
    chosen = frozenset(only or table.column_names)
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in chosen and pa.types.is_string(column.type):
            for change in changes:
                column = change(column)
        elif name in only:
            refuse(f"column {name!r} is no text", found=str(column.type))
        columns.append(column)
    return pa.table(columns, schema=table.schema)


def _without(column: pa.ChunkedArray, null: Sequence[str]) -> pa.ChunkedArray:
    gone = pc.is_in(column, pa.array(list(null), pa.string()))
    return pc.if_else(gone, pa.scalar(None, pa.string()), column)


def _replaced(column: pa.ChunkedArray, name: str, values: Mapping[str, str]) -> pa.ChunkedArray:
    found = set(pc.unique(column).to_pylist())
    if idle := [value for value in values if value not in found]:
        refuse(f"replace names texts that column {name!r} does not have", found=some(idle))
    texts = [values.get(text, text) for text in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _typed(
    column: pa.ChunkedArray, name: str, kind: str, formats: Mapping[str, str], zone: str | None
) -> pa.ChunkedArray:
    is_moment = kind in _MOMENTS and pa.types.is_string(column.type)
    place = zone if kind == "timestamp_utc" else None
    if is_moment and (name in formats or place is not None):
        return cast_moments(column, name, kind, formats.get(name), place)
    if name in formats:
        refuse(
            f"the format of {name!r} means nothing", expected="a date or time in text", found=kind
        )
    return cast(column, name, kind)
