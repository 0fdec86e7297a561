"""Does a table keep its declaration? Every violation is found, with counts and examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.bounds import (
    NotApplicable,
    OutOfRange,
    exact_value,
    lower_bound,
    upper_bound,
)
from d4cbuild.normalform.declaration import ColumnDeclaration, Declaration
from d4cbuild.normalform.findings import EXAMPLES, Findings, shown
from d4cbuild.normalform.types import leaf_paths

RESERVED_NAME = "bbox"


def check_columns(schema: pa.Schema, wanted: Declaration, findings: Findings) -> None:
    """Are the declared columns there, each once, and no others?"""
    declared, found = [column.name for column in wanted.columns], schema.names
    for name in declared:
        if name not in found:
            findings.add(name, "columns", "the column is declared but was not written")
    for name in dict.fromkeys(found):
        if name not in declared:
            findings.add(name, "columns", "the column was written but is not declared")
        elif found.count(name) > 1:
            findings.add(name, "columns", "the column was written more than once")


def check_declaration(wanted: Declaration, findings: Findings) -> None:
    """Can a file of this declaration be written at all?"""
    if wanted.geometry is not None and RESERVED_NAME in wanted.column_names:
        message = "the name belongs to the geometry's covering boxes; choose another"
        findings.add(RESERVED_NAME, "columns", message)
    seen: dict[str, str] = {}
    for column in wanted.columns:
        for path in leaf_paths(column.name, column.arrow):
            if seen.setdefault(path, column.name) != column.name:
                message = f"its path {path} is also that of column {seen[path]}"
                findings.add(column.name, "columns", message)
    if not wanted.keys:
        findings.add("", "sort_by", "no keys are declared, so rows have no order")
    for key in wanted.keys:
        named = wanted.column(key.column)
        if named is None:
            findings.add("", "sort_by", f"{key.text} names no declared column")
        elif key.hilbert and not named.is_geometry:
            findings.add("", "sort_by", f"{key.text}: {named.name} is no geometry")
        elif pa.types.is_nested(named.arrow):
            findings.add("", "sort_by", f"{key.text}: {named.type_name} has no order")


def check_rows(count: int, wanted: Declaration, findings: Findings) -> None:
    """Is the number of rows plausible?"""
    if count < wanted.rows_min:
        findings.add("", "rows.min", f"expected at least {wanted.rows_min} rows, found {count}")
    if wanted.rows_max is not None and count > wanted.rows_max:
        findings.add("", "rows.max", f"expected at most {wanted.rows_max} rows, found {count}")


def check_values(
    column: pa.ChunkedArray, wanted: ColumnDeclaration, first_row: int, findings: Findings
) -> None:
    """Check rows of a column against every rule that looks at one value at a time.

    Args:
        column: Values of the declared type.
        wanted: The declaration.
        first_row: The number of the first of these rows.
        findings: Where violations go.
    """
    if not wanted.nullable and column.null_count:
        message = "values are missing, but the column is not declared nullable"
        rows = np.flatnonzero(column.is_null().to_numpy())
        examples = [f"row {first_row + row}" for row in rows[:EXAMPLES]]
        findings.add(wanted.name, "nullable", message, len(rows), examples)
    rules: list[tuple[str, Any, Callable[[pa.ChunkedArray, Any], Any], str]] = [
        ("min", wanted.min, _below, f"values are below {wanted.min}"),
        ("max", wanted.max, _above, f"values are above {wanted.max}"),
        ("enum", wanted.enum, _not_listed, "values are not of those listed"),
        ("pattern", wanted.pattern, _not_matching, f"values do not match {wanted.pattern}"),
    ]
    for rule, value, test, message in rules:
        if value is None:
            continue
        try:
            bad = test(column, value)
        except NotApplicable as error:
            findings.add(wanted.name, rule, f"the rule cannot be applied: {error}", 0)
            continue
        _note(column, wanted.name, rule, message, bad, first_row, findings)


def _note(
    column: pa.ChunkedArray,
    name: str,
    rule: str,
    message: str,
    bad: Any,
    first_row: int,
    findings: Findings,
) -> None:
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    values = column.take(pa.array(rows[:EXAMPLES])).to_pylist()
    examples = [
        f"row {first_row + row}: {shown(value)}"
        for row, value in zip(rows[:EXAMPLES], values, strict=True)
    ]
    findings.add(name, rule, message, len(rows), examples)


def _below(column: pa.ChunkedArray, value: Any) -> Any:
    return _outside(column, lambda arrow: lower_bound(value, arrow), pc.greater_equal, fits=False)


def _above(column: pa.ChunkedArray, value: Any) -> Any:
    return _outside(column, lambda arrow: upper_bound(value, arrow), pc.less_equal, fits=True)


def _outside(
    column: pa.ChunkedArray,
    bound: Callable[[pa.DataType], pa.Scalar],
    inside: Callable[[Any, Any], Any],
    fits: bool,
) -> Any:
    # Asked as "not inside", so that NaN, which lies within no bounds, is found too.
    try:
        good = inside(_comparable(column), bound(column.type))
    except OutOfRange as error:
        return _present(column) if error.above != fits else np.zeros(len(column), bool)
    return _inverted(good)


def _not_listed(column: pa.ChunkedArray, values: tuple[Any, ...]) -> Any:
    allowed = []
    for value in values:
        try:
            allowed.append(exact_value(value, column.type))
        except OutOfRange:
            continue  # no value of the column can equal it
    comparable = _comparable(column)
    listed = pa.array([scalar.as_py() for scalar in allowed], comparable.type)
    return _present(column) & ~_flags(pc.is_in(comparable, value_set=listed))


def _not_matching(column: pa.ChunkedArray, pattern: str) -> Any:
    if not pa.types.is_string(column.type):
        raise NotApplicable(f"{column.type} is no text")
    try:
        # Alone first: a pattern such as "a)|(b" must not borrow the parentheses put around it.
        pc.match_substring_regex(pa.array([""]), pattern)
        return _inverted(pc.match_substring_regex(column, rf"\A(?:{pattern})\z"))
    except pa.ArrowInvalid as error:
        raise NotApplicable(str(error).splitlines()[0]) from error


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.float64()) if pa.types.is_floating(column.type) else column


def _present(column: pa.ChunkedArray) -> Any:
    return _flags(column.is_valid())


def _inverted(good: pa.ChunkedArray) -> Any:
    return _flags(pc.fill_null(pc.invert(good), False))


def _flags(column: pa.ChunkedArray) -> Any:
    return np.asarray(column.to_numpy(), dtype=bool)
