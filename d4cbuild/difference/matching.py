"""Which row of B is which row of A, by the key or as wholes, with memory bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from d4cbuild.difference.hashes import combined, distinct, hash_cells, mixed
from d4cbuild.difference.pair import Budget, PairedColumn, TablePair, cells_of
from d4cbuild.difference.partitions import Partitions
from d4cbuild.tables.columns import ParquetColumns

_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Matching:
    """Who belongs to whom.

    Attributes:
        partner: For each row of A, its row in B; -1 if it has none.
        matched: For each row of B, whether it has a partner.
        changed: For each row of A, whether its partner is another row.
        repeated: How many rows of A and B have a key that occurred before.
    """

    partner: Any
    matched: Any
    changed: Any
    repeated: tuple[int, int]


def match_rows(
    pair: TablePair, key: Sequence[PairedColumn], whole: Sequence[PairedColumn], budget: Budget
) -> Matching:
    """Find each row's partner.

    Rows of equal key that are the same as wholes belong together; of what is left, rows of equal
    key in the order they come.

    Args:
        pair: The files.
        key: The key; without one only rows that are the same as wholes belong together.
        whole: All columns that are compared.
        budget: What it may cost.
    """
    parts_a = _hashed(pair, pair.a, key, whole, budget)
    parts_b = _hashed(pair, pair.b, key, whole, budget)
    partner = budget.numbers(pair.a.rows, np.int64, -1)
    matched = budget.numbers(pair.b.rows, np.bool_)
    changed = budget.numbers(pair.a.rows, np.bool_)
    repeated = [0, 0]
    for number in range(parts_a.count):
        a, b = parts_a.load(number), parts_b.load(number)
        for side, rows in enumerate((a, b)):
            repeated[side] += len(rows) - len(distinct(rows[:, 0]))
        left_a, left_b = _pair_up(a, b, _with_wholes(a), _with_wholes(b), partner, matched)
        if key:
            keys_a, keys_b = _counted(left_a[:, 0]), _counted(left_b[:, 0])
            rest_a, _ = _pair_up(left_a, left_b, keys_a, keys_b, partner, matched)
            changed[left_a[:, 2].astype(np.int64)] = True
            changed[rest_a[:, 2].astype(np.int64)] = False
    return Matching(partner, matched, changed, (repeated[0], repeated[1]))


def _hashed(
    pair: TablePair,
    side: ParquetColumns,
    key: Sequence[PairedColumn],
    whole: Sequence[PairedColumn],
    budget: Budget,
) -> Partitions:
    """Of each row: the hash of its key, of the whole, and its number."""
    # Both sides get as many partitions, so that partners lie in partitions of one number.
    parts = Partitions(3, max(pair.a.rows, pair.b.rows), budget)
    names = [column.name for column in whole]
    at = 0
    for run in side.runs(names, side.step(names)):
        hashes = {column.name: hash_cells(cells_of(run, column)) for column in whole}
        every = combined([hashes[column.name] for column in whole], run.num_rows)
        by = combined([hashes[c.name] for c in key], run.num_rows) if key else every
        numbers = np.arange(at, at + run.num_rows, dtype=np.uint64)
        parts.add(np.stack([by, every, numbers], axis=1))
        at += run.num_rows
    return parts


def _with_wholes(rows: Any) -> Any:
    return _counted(mixed(rows[:, 0] * np.uint64(3) + mixed(rows[:, 1])))


def _counted(ids: Any) -> Any:
    """Make hashes that occur more than once unique, by how often each occurred before."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    place = np.arange(len(ids))
    is_first = np.ones(len(ids), bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(is_first, place, 0))
    counted = np.empty(len(ids), np.uint64)
    counted[order] = mixed(ordered + mixed(place - first))
    return counted


def _pair_up(a: Any, b: Any, ids_a: Any, ids_b: Any, partner: Any, matched: Any) -> tuple[Any, Any]:
    """Note the partners by equal ids; give the rows without one."""
    order = np.argsort(ids_b)
    ordered = ids_b[order]
    place = np.searchsorted(ordered, ids_a)
    found = place < len(ordered)
    found[found] = ordered[place[found]] == ids_a[found]
    rows_a, rows_b = a[found], b[order[place[found]]]
    partner[rows_a[:, 2].astype(np.int64)] = rows_b[:, 2].astype(np.int64)
    matched[rows_b[:, 2].astype(np.int64)] = True
    left_b = np.ones(len(b), bool)
    left_b[order[place[found]]] = False
    return a[~found], b[left_b]


def count_moved(matching: Matching, budget: Budget) -> tuple[int, int | None]:
    """How many matched rows stand elsewhere among the matched rows, and the first of them in A."""
    ranks = budget.numbers(len(matching.matched), np.int64)
    np.cumsum(matching.matched, out=ranks)
    moved, rank, first_moved = 0, 0, None
    for start in range(0, len(matching.partner), _AT_ONCE):
        partner = matching.partner[start : start + _AT_ONCE]
        kept = np.flatnonzero(partner >= 0)
        elsewhere = ranks[partner[kept]] - 1 != rank + np.arange(len(kept))
        rank += len(kept)
        moved += int(elsewhere.sum())
        if first_moved is None and elsewhere.any():
            first_moved = start + int(kept[np.argmax(elsewhere)])
    return moved, first_moved
