"""Row order: a total order by declared keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXAMPLES = 5


def sorted_rows(table: pa.Table, keys: list[str]) -> pa.Array:
    """Find the order of a table's rows.

    Ascending by each key in turn; text by its UTF-8 bytes; NaN after all numbers; nulls last.

    Args:
        table: The rows.
        keys: Column names, the most significant first.

    Returns:
        uint64 array: row numbers in order.
    """
    # Nulls go last by default in every pyarrow; how to say so differs between versions.
    options = pc.SortOptions([(key, "ascending") for key in keys])
    return pc.sort_indices(table.select(list(dict.fromkeys(keys))), options=options)


def repeated_keys(table: pa.Table, keys: list[str]) -> tuple[int, list[dict[str, Any]]]:
    """Look for rows of a sorted table that have the same key as the row before.

    Args:
        table: Rows in order.
        keys: Column names.

    Returns:
        How many there are, and the keys of the first few.
    """
    if table.num_rows < 2:
        return 0, []
    same = np.ones(table.num_rows - 1, dtype=bool)
    for key in keys:
        column = table.column(key)
        before, after = column.slice(0, len(column) - 1), column.slice(1)
        same &= _equal(before, after)
    rows = np.flatnonzero(same)
    examples = table.select(keys).take(pa.array(rows[:EXAMPLES])).to_pylist()
    return len(rows), examples


def _equal(before: pa.ChunkedArray, after: pa.ChunkedArray) -> Any:
    equal = pc.fill_null(pc.equal(before, after), False)
    both_null = pc.and_(before.is_null(), after.is_null())
    result = pc.or_(equal, both_null)
    if pa.types.is_floating(before.type):
        result = pc.or_(result, pc.fill_null(pc.and_(pc.is_nan(before), pc.is_nan(after)), False))
    return np.asarray(result.to_numpy(), dtype=bool)
