"""A table as an output declares it: its columns in order, each of its type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import pyarrow as pa

from .casting import cast
from .refusal import refuse, some
from .shapes import UNKNOWN, same_crs, shape_columns


def as_declared(
    table: pa.Table, types: Mapping[str, str], nullable: Sequence[str], crs: Mapping[str, str]
) -> pa.Table:
    """Bring a table to its declaration; nothing is left out and nothing guessed.

    Args:
        table: The table.
        types: Declared types by column, in order.
        nullable: Columns that may be null.
        crs: The declared CRS of each column of shapes.
    """
    _require_same_columns(table, types)
    found = shape_columns(table)
    for name, wanted in crs.items():
        known = found.get(name, UNKNOWN)
        if known != UNKNOWN and not same_crs(known, wanted):
            refuse(
                f"shapes in {name!r} are not in the declared CRS",
                expected=wanted,
                found=known[:200],
                hint=f'a geometry step with to_crs = "{wanted}"; or declare crs on the column',
            )
        if known == UNKNOWN and name in found:
            refuse(
                f"the CRS of the shapes in {name!r} is not known",
                expected=wanted,
                hint=f'a geometry step with crs = "…", and to_crs = "{wanted}" if it is another',
            )
    columns = {name: cast(table.column(name), name, kind) for name, kind in types.items()}
    for name, column in columns.items():
        if column.null_count and name not in nullable:
            row = column.is_null().to_pylist().index(True) + 1
            refuse(
                f"column {name!r} has {column.null_count} nulls, the first in row {row}",
                expected="none, as it is declared",
                hint="nullable = true, if a value may be missing",
            )
    return pa.table(columns)


def _require_same_columns(table: pa.Table, types: Mapping[str, str]) -> None:
    there = dict.fromkeys(table.column_names)
    absent = [name for name in types if name not in there]
    other = [name for name in there if name not in types]
    if not absent and not other:
        return
    close = [
        f"{a!r} is perhaps {near[0]!r}" for a in absent if (near := get_close_matches(a, other))
    ]
    lines = []
    if absent:
        lines.append(f"declared, but not in the table: {some(absent)}")
    if other:
        lines.append(f"in the table, but not declared: {some(other)}")
    refuse(
        "the table does not have the declared columns",
        found="\n".join([*lines, *close]),
        hint="declare them; or keep, drop or rename them in a columns step",
    )
