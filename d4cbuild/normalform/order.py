"""Row order: a total order by declared keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EXAMPLES = 5


def row_order(keys: pa.Table) -> pa.Array:
    """Find the order of rows.

    Ascending by each key in turn; text by its UTF-8 bytes; NaN after all numbers; nulls last.

    Args:
        keys: A column per key, the most significant first; names do not matter but differ.

    Returns:
        uint64 array: row numbers in order.
    """
    # Nulls go last by default in every pyarrow; how to say so differs between versions.
    options = pc.SortOptions([(name, "ascending") for name in keys.column_names])
    return pc.sort_indices(keys, options=options)


def repeated_keys(keys: pa.Table) -> tuple[int, list[tuple[Any, ...]]]:
    """Look for rows that have the same key as the row before.

    Args:
        keys: A column per key, rows in order.

    Returns:
        How many there are, and the keys of the first few.
    """
    if keys.num_rows < 2:
        return 0, []
    same = np.ones(keys.num_rows - 1, dtype=bool)
    for column in keys.columns:
        same &= _equal(column.slice(0, len(column) - 1), column.slice(1))
    rows = np.flatnonzero(same)
    examples = keys.take(pa.array(rows[:EXAMPLES], pa.int64()))
    return len(rows), list(zip(*(column.to_pylist() for column in examples.columns), strict=True))


def _equal(before: pa.ChunkedArray, after: pa.ChunkedArray) -> Any:
    equal = pc.fill_null(pc.equal(before, after), False)
    result = pc.or_(equal, pc.and_(before.is_null(), after.is_null()))
    if pa.types.is_floating(before.type):
        result = pc.or_(result, pc.fill_null(pc.and_(pc.is_nan(before), pc.is_nan(after)), False))
    return np.asarray(result.to_numpy(), dtype=bool)
