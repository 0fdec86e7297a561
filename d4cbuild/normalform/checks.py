"""Does a table keep its declaration? Every violation is found, with counts and examples."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.declaration import ColumnDeclaration, Declaration

EXAMPLES = 5
EXAMPLE_CHARACTERS = 80


@dataclass(frozen=True)
class Violation:
    """One broken promise.

    Attributes:
        output: The output's name.
        column: The column's name; empty for the whole table.
        rule: The declaration's word for it: ``unique``, ``max`` and so on.
        message: What is wrong, in one sentence.
        count: How many rows break it.
        examples: The first few rows that do.
    """

    output: str
    column: str
    rule: str
    message: str
    count: int = 1
    examples: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return asdict(self)


def check_columns(table: pa.Table, wanted: Declaration) -> list[Violation]:
    """Are the declared columns there, and no others?"""
    declared = [column.name for column in wanted.columns]
    found = table.column_names
    violations = [
        Violation(wanted.name, name, "columns", "the column is declared but was not written")
        for name in declared
        if name not in found
    ]
    violations += [
        Violation(wanted.name, name, "columns", "the column was written but is not declared")
        for name in found
        if name not in declared
    ]
    violations += [
        Violation(wanted.name, name, "columns", "the column was written more than once")
        for name in sorted({name for name in found if found.count(name) > 1})
    ]
    return violations


def check_rows(count: int, wanted: Declaration) -> list[Violation]:
    """Is the number of rows plausible?"""
    if count < wanted.rows_min:
        message = f"expected at least {wanted.rows_min} rows, found {count}"
        return [Violation(wanted.name, "", "rows.min", message)]
    if wanted.rows_max is not None and count > wanted.rows_max:
        message = f"expected at most {wanted.rows_max} rows, found {count}"
        return [Violation(wanted.name, "", "rows.max", message)]
    return []


def check_values(
    output: str, column: pa.ChunkedArray, wanted: ColumnDeclaration
) -> list[Violation]:
    """Check one column, already of its declared type, against every rule declared for it."""
    found: list[Violation | None] = [_check_nulls(output, column, wanted)]
    if wanted.unique:
        found.append(_check_unique(output, column, wanted))
    if wanted.min is not None:
        bad = pc.less(column, _scalar(wanted.min, column.type))
        found.append(_failing(output, column, wanted, "min", f"below {wanted.min}", bad))
    if wanted.max is not None:
        bad = pc.greater(column, _scalar(wanted.max, column.type))
        found.append(_failing(output, column, wanted, "max", f"above {wanted.max}", bad))
    if wanted.enum is not None:
        allowed = pa.array(list(wanted.enum)).cast(column.type)
        bad = pc.and_(column.is_valid(), pc.invert(pc.is_in(column, value_set=allowed)))
        found.append(_failing(output, column, wanted, "enum", "not one of the values listed", bad))
    if wanted.pattern is not None:
        matches = pc.match_substring_regex(column, f"^(?:{wanted.pattern})$")
        text = f"not matching {wanted.pattern}"
        found.append(_failing(output, column, wanted, "pattern", text, pc.invert(matches)))
    return [violation for violation in found if violation is not None]


def _scalar(value: float | int, arrow: pa.DataType) -> pa.Scalar:
    if pa.types.is_integer(arrow) or pa.types.is_floating(arrow) or pa.types.is_decimal(arrow):
        # An integer bound may lie outside a narrow column type; then let Arrow widen both sides.
        return pa.scalar(value)
    return pa.scalar(value).cast(arrow)


def _check_nulls(
    output: str, column: pa.ChunkedArray, wanted: ColumnDeclaration
) -> Violation | None:
    if wanted.nullable or column.null_count == 0:
        return None
    rows = np.flatnonzero(column.is_null().to_numpy())
    return Violation(
        output,
        wanted.name,
        "nullable",
        "values are missing, but the column is not declared nullable",
        len(rows),
        tuple(f"row {row}" for row in rows[:EXAMPLES]),
    )


def _check_unique(
    output: str, column: pa.ChunkedArray, wanted: ColumnDeclaration
) -> Violation | None:
    counts = column.drop_null().value_counts()
    repeated = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
    if len(repeated) == 0:
        return None
    examples = tuple(
        f"{shown(entry['values'])} occurs {entry['counts']} times"
        for entry in repeated[:EXAMPLES].to_pylist()
    )
    return Violation(
        output, wanted.name, "unique", "values occur more than once", len(repeated), examples
    )


def _failing(
    output: str,
    column: pa.ChunkedArray,
    wanted: ColumnDeclaration,
    rule: str,
    message: str,
    bad: pa.ChunkedArray,
) -> Violation | None:
    rows = np.flatnonzero(pc.fill_null(bad, False).to_numpy())
    if len(rows) == 0:
        return None
    values = column.take(pa.array(rows[:EXAMPLES])).to_pylist()
    examples = tuple(
        f"row {row}: {shown(value)}" for row, value in zip(rows[:EXAMPLES], values, strict=True)
    )
    return Violation(output, wanted.name, rule, f"values are {message}", len(rows), examples)


def shown(value: Any) -> str:
    """A value as an error message shows it: quoted, escaped and not too long."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"
