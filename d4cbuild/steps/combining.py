"""Several tables as one: below each other, or beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from .refusal import refuse, some
from .shapes import marked, shape_columns
from .sql import run_sql


def union(
    tables: Mapping[str, pa.Table],
    *,
    missing: str = "refuse",
    table_column: str | None = None,
) -> pa.Table:
    """Put tables below each other; columns of one name belong together.

    Args:
        tables: By name.
        missing: What to do about a column that not all have: ``refuse``, or ``null``.
        table_column: A new column that says which table a row is from.
    """
    names = list(dict.fromkeys(name for table in tables.values() for name in table.column_names))
    if missing == "refuse":
        _require_same(tables, names)
    pieces = [
        table
        if table_column is None
        else table.append_column(table_column, pa.array([name] * table.num_rows, pa.string()))
        for name, table in tables.items()
    ]
    shapes: dict[str, str] = {}
    for table in tables.values():
        for column, crs in shape_columns(table).items():
            if shapes.setdefault(column, crs) != crs:
                refuse(
                    f"shapes in {column!r} have different CRSs",
                    found=f"{shapes[column]}, {crs}",
                    hint="bring them to one with a geometry step first",
                )
    try:
        whole = pa.concat_tables(
            [piece.replace_schema_metadata(None) for piece in pieces], promote_options="default"
        )
    except pa.ArrowException as error:
        refuse(
            "columns of one name have different types",
            found=str(error),
            hint='give them one type in a columns step: types = { name = "…" }',
        )
    order = names if table_column is None else [*names, table_column]
    return marked(whole.select(order), shapes)


def _require_same(tables: Mapping[str, pa.Table], names: Sequence[str]) -> None:
    for name, table in tables.items():
        if lacking := [column for column in names if column not in table.column_names]:
            refuse(
                f"the tables do not have the same columns: {name} lacks some",
                found=some(lacking),
                hint='missing = "null" makes them null there; or rename them in a columns step',
            )


def join(
    table: pa.Table,
    other: pa.Table,
    *,
    on: Mapping[str, str],
    unmatched: str = "refuse",
    columns: Sequence[str] = (),
) -> pa.Table:
    """Put columns of another table beside those of a table; no row is doubled.

    Args:
        table: Keeps its rows.
        other: Has at most one row for each key.
        on: The key: a column of the table, and the column of the other it must equal.
        unmatched: What to do about rows without a partner: ``refuse``, ``null`` or ``drop``.
        columns: Columns to take of the other; all but the key unless given.
    """
    wanted = list(columns) or [name for name in other.column_names if name not in on.values()]
    if both := [name for name in wanted if name in table.column_names]:
        refuse("both tables have these columns", found=some(both), hint="rename or drop them first")
    for place, names, found in (("table", on, table), ("other", [*on.values(), *wanted], other)):
        if absent := [name for name in names if name not in found.column_names]:
            refuse(f"no such columns in {place}", expected=some(found.column_names),
                   found=some(absent))  # fmt: skip
    both_tables = {"l": table, "r": other}
    keys = ", ".join(_quoted(name) for name in on.values())
    double = run_sql(
        both_tables, f"SELECT {keys} FROM r GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL", {}
    )
    if double.num_rows:
        refuse(
            "the other table has several rows for one key, and rows would be doubled",
            found=some(tuple(row.values()) for row in double.to_pylist()),
            hint="add columns to the key, or make the other table's rows unique with a sql step",
        )
    same = " AND ".join(f"l.{_quoted(a)} = r.{_quoted(b)}" for a, b in on.items())
    if unmatched == "refuse":
        first = next(iter(on))
        lonely = run_sql(both_tables, f"SELECT l.* FROM l ANTI JOIN r ON {same} ORDER BY ALL", {})
        if lonely.num_rows:
            refuse(
                f"{lonely.num_rows} rows have no partner in the other table",
                found=some(lonely.column(first).to_pylist()),
                hint='unmatched = "null" keeps them, unmatched = "drop" leaves them out',
            )
    kind = "INNER" if unmatched == "drop" else "LEFT"
    taken = "".join(f", r.{_quoted(name)}" for name in wanted)
    return run_sql(both_tables, f"SELECT l.*{taken} FROM l {kind} JOIN r ON {same}", {})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
