"""Which columns tell rows apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ID = re.compile(
    r"(^|_)(id|uid|code|key|number|numero|no|num|dguid|fid|objectid|guid|uuid|sequence|seq)(_|$)"
)
_WIDE = 24
_FIRST_ROWS = 20_000
_LARGEST = 1 << 62
_SHOWN = 6

Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Keys:
    """What tells rows apart.

    Attributes:
        chosen: The key; all columns that have an order where there is none.
        candidates: Other keys, the most likely first.
        repeated: Rows that are like another in everything that has an order.
    """

    chosen: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...] = ()
    repeated: int = 0


def keys_of(table: pa.Table, beside: Codes | None = None) -> Keys:
    """Find the columns that tell all rows apart.

    Args:
        table: Its columns in order, those of shapes left out.
        beside: Numbers that come before every key, one for each row: the place of its shape.
    """
    rows = table.num_rows
    names = _sortable(table)
    numbers = {name: _numbers(table.column(name)) for name in names}
    singles = [n for n in names if _distinct([numbers[n]]) == rows and not _loose(table, n)]
    order = sorted(names, key=lambda name: _rank(table, name, names))
    ranked = [name for name in order if name in singles]
    if ranked:
        return Keys((ranked[0],), tuple((name,) for name in ranked[1:_SHOWN]))
    some = _of_several(table, order, numbers, names)
    if some:
        return Keys(some[0], tuple(some[1:_SHOWN]))
    first = [] if beside is None else [beside]
    found = _grown(order, numbers, first, rows)
    if found is not None:
        return Keys(tuple(sorted(found, key=names.index)))
    together = _distinct([*first, *numbers.values()])
    return Keys(tuple(names), repeated=rows - together)


def _sortable(table: pa.Table) -> list[str]:
    return [
        field.name
        for field in table.schema
        if not (pa.types.is_nested(field.type) or pa.types.is_null(field.type))
    ]


def _loose(table: pa.Table, name: str) -> bool:
    """Whether a column is no good key by itself: it has nulls, or numbers that are measured."""
    column = table.column(name)
    return bool(column.null_count > 0 or pa.types.is_floating(column.type))


def _rank(table: pa.Table, name: str, names: Sequence[str]) -> tuple[bool, bool, bool, int]:
    return (_loose(table, name), not _ID.search(name), _is_long(table, name), names.index(name))


def _is_long(table: pa.Table, name: str) -> bool:
    column = table.column(name)
    if not pa.types.is_string(column.type):
        return False
    mean = pc.mean(pc.utf8_length(column)).as_py()
    return mean is not None and bool(mean > 40)


def _numbers(column: pa.ChunkedArray) -> Codes:
    """A number for each different value, the same for the same; null is one of them."""
    codes = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.combine_chunks()
    found: Codes = codes.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _together(columns: Sequence[Codes]) -> Codes:
    whole = columns[0]
    for column in columns[1:]:
        spread = int(column.max(initial=0)) + 1
        if int(whole.max(initial=0)) >= _LARGEST // spread:
            whole = np.unique(whole, return_inverse=True)[1].astype(np.int64)
        whole = whole * spread + column
    return whole


def _distinct(columns: Sequence[Codes]) -> int:
    if not columns or len(columns[0]) == 0:
        return 0
    ordered = np.sort(_together(columns))
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _is_key(columns: Sequence[Codes]) -> bool:
    rows = len(columns[0])
    few = [column[:_FIRST_ROWS] for column in columns]
    return _distinct(few) == len(few[0]) and (rows <= _FIRST_ROWS or _distinct(columns) == rows)


def _of_several(
    table: pa.Table, order: Sequence[str], numbers: dict[str, Codes], names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Keys of two columns, or else of three, without nulls and without what is measured."""
    firm = [name for name in order if not _loose(table, name)]
    firm = [name for name in firm if len(numbers[name]) and int(numbers[name].max()) > 0][:_WIDE]
    for size in (2, 3):
        found = [
            tuple(sorted(chosen, key=names.index))
            for chosen in combinations(firm, size)
            if _is_key([numbers[name] for name in chosen])
        ]
        if found:
            return found
    return []


def _grown(
    order: Sequence[str], numbers: dict[str, Codes], first: list[Codes], rows: int
) -> list[str] | None:
    """Columns taken one by one, as long as each tells more rows apart."""
    chosen: list[str] = []
    known = _distinct(first)
    if known == rows and order:
        return [order[0]]
    whole = list(first)
    for name in order:
        if known == rows:
            break
        more = _distinct([*whole, numbers[name]])
        if more > known or not whole:
            chosen.append(name)
            whole, known = [_together([*whole, numbers[name]])], more
    if known < rows or not chosen:
        return None
    for name in reversed(chosen[:-1]):
        rest = [other for other in chosen if other != name]
        if _distinct([*first, *(numbers[other] for other in rest)]) == rows:
            chosen = rest
    return chosen
