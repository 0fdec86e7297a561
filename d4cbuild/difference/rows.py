"""Rows of two tables compared: at their places where that will do, else by key, else as wholes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from d4cbuild.difference.aligned import count_differing, tally_aligned
from d4cbuild.difference.cells import ColumnTally
from d4cbuild.difference.gathering import tally_partners
from d4cbuild.difference.keys import found_key, is_unique, stated_key
from d4cbuild.difference.matching import Matching, count_moved, match_rows
from d4cbuild.difference.options import DiffOptions
from d4cbuild.difference.pages import SamePages
from d4cbuild.difference.pair import Budget, TablePair
from d4cbuild.difference.record import Example, Finding, Key, Rows
from d4cbuild.difference.shown import shortened, shown
from d4cbuild.tables.columns import ParquetColumns

_LONG_ROW = 400
NOT_NEEDED = Key((), "not needed: each row stands at its place")
AS_WHOLES = Key((), "none is known: rows are compared as wholes")


@dataclass(frozen=True)
class RowsCompared:
    """What was found of rows.

    Attributes:
        key: What they were told apart by.
        rows: Their numbers.
        findings: What differs.
        same: Columns without a cell that differs.
        first_moved: The first row of A that stands elsewhere in B.
        repeated: How many rows of A and B have a key that occurred before.
    """

    key: Key
    rows: Rows
    findings: tuple[Finding, ...]
    same: frozenset[str]
    first_moved: int | None = None
    repeated: tuple[int, int] = (0, 0)

    @property
    def same_in_place(self) -> frozenset[str]:
        """Columns that hold the same cells in the same order."""
        rows = self.rows
        return frozenset() if rows.moved or rows.removed or rows.added else self.same


class RowComparison:
    """Compares the rows of two files.

    Args:
        pair: The files.
        pages: What of them is the same bytes.
        options: What the user chose.
        budget: What it may cost.
    """

    def __init__(
        self, pair: TablePair, pages: SamePages, options: DiffOptions, budget: Budget
    ) -> None:
        self._pair = pair
        self._pages = pages
        self._options = options
        self._budget = budget
        self._columns = pair.comparable

    def run(self) -> RowsCompared:
        """Compare.

        Raises:
            InputError: if the key that was given is none, or a file turns out to be broken.
        """
        pair = self._pair
        stated = stated_key(pair, self._options.key, self._options.manifest)
        if not self._columns:
            return self._without_columns(stated)
        if pair.a.rows == pair.b.rows:
            columns = pair.named(stated.columns) if stated else self._columns
            counts = count_differing(pair, self._pages, columns)
            if stated is None and not any(counts.values()):
                return self._at_their_places(NOT_NEEDED, set(counts))
            same = [column for column in columns if counts[column.name] == 0]
            key = stated if stated else found_key(pair, same, self._budget, in_place=True)
            if key is not None and set(key.columns) <= {column.name for column in same}:
                trusted = stated is None or is_unique(pair, pair.named(key.columns), self._budget)
                if trusted:
                    return self._at_their_places(key, {c.name for c in same})
        return self._by_partners(stated or found_key(pair, self._columns, self._budget))

    def _without_columns(self, key: Key | None) -> RowsCompared:
        a, b = self._pair.a.rows, self._pair.b.rows
        rows = Rows(a, b, removed=max(0, a - b), added=max(0, b - a))
        findings = _count_only(rows)
        return RowsCompared(key or AS_WHOLES, rows, findings, frozenset())

    def _at_their_places(self, key: Key, same: set[str]) -> RowsCompared:
        changed = self._budget.numbers(self._pair.a.rows, np.bool_)
        left = [column for column in self._columns if column.name not in same]
        tallies = tally_aligned(self._pair, self._pages, left, changed, self._options.examples)
        rows = Rows(
            self._pair.a.rows,
            self._pair.b.rows,
            changed=int(np.count_nonzero(changed)),
            cells=sum(tally.count for tally in tallies),
        )
        coverings = self._coverings()
        found = self._compared(key, rows, tallies, coverings)
        return replace(found, same=found.same | same)

    def _coverings(self) -> list[Finding]:
        usable = [column for column in self._pair.coverings if column.type is not None]
        counts = count_differing(self._pair, self._pages, usable)
        says = "they are made from the shapes, and no part of the table"
        return [
            Finding("covering", count, "cells", says, name)
            for name, count in counts.items()
            if count
        ]

    def _by_partners(self, key: Key | None) -> RowsCompared:
        pair, budget = self._pair, self._budget
        by = pair.named(key.columns) if key else []
        matching = match_rows(pair, by, self._columns, budget)
        if key is None:
            _pair_by_place(matching)
        tallies = tally_partners(pair, self._columns, matching, budget, self._options.examples)
        moved, first_moved = count_moved(matching, budget)
        kept = int(np.count_nonzero(matching.matched))
        rows = Rows(
            pair.a.rows,
            pair.b.rows,
            changed=int(np.count_nonzero(matching.changed)),
            removed=pair.a.rows - kept,
            added=pair.b.rows - kept,
            moved=moved,
            cells=sum(tally.count for tally in tallies),
        )
        findings = self._lost_and_new(matching, rows, key)
        if moved:
            says = f"{moved:,} of {kept:,} rows that both have stand elsewhere"
            findings.append(Finding("row-order", moved, "rows", says))
        found = self._compared(key or AS_WHOLES, rows, tallies, findings)
        repeated = matching.repeated if key else (0, 0)
        return replace(found, first_moved=first_moved, repeated=repeated)

    def _lost_and_new(self, matching: Matching, rows: Rows, key: Key | None) -> list[Finding]:
        pair, most = self._pair, self._options.examples
        found = []
        if rows.removed:
            which = _first(matching.partner, most, lambda part: part < 0)
            places = _places(pair.a, which, key)
            examples = tuple(
                Example(places[row], line, None, row_a=row)
                for row, line in zip(which, _lines(pair.a, which), strict=True)
            )
            found.append(Finding("rows-removed", rows.removed, "rows", "", examples=examples))
        if rows.added:
            which = _first(matching.matched, most, lambda part: ~part)
            places = _places(pair.b, which, key)
            examples = tuple(
                Example(places[row], None, line, row_b=row)
                for row, line in zip(which, _lines(pair.b, which), strict=True)
            )
            found.append(Finding("rows-added", rows.added, "rows", "", examples=examples))
        return found

    def _compared(
        self, key: Key, rows: Rows, tallies: Sequence[ColumnTally], further: Sequence[Finding]
    ) -> RowsCompared:
        findings = [finding for tally in tallies for finding in tally.findings()]
        numbers = {e.row_a for f in findings for e in f.examples if e.row_a is not None}
        places = _places(self._pair.a, sorted(numbers), key)
        named = [
            replace(f, examples=tuple(replace(e, where=places[e.row_a or 0]) for e in f.examples))
            for f in findings
        ]
        same = frozenset(tally.name for tally in tallies if tally.count == 0)
        return RowsCompared(key, rows, (*named, *further), same)


def _count_only(rows: Rows) -> tuple[Finding, ...]:
    says = "there is no column to tell them by"
    counts = (("rows-removed", rows.removed), ("rows-added", rows.added))
    return tuple(Finding(name, count, "rows", says) for name, count in counts if count)


def _pair_by_place(matching: Matching) -> None:
    """Take rows without a partner that stand at the same place for one row that has changed."""
    end = min(len(matching.partner), len(matching.matched))
    if len(matching.partner) != len(matching.matched):
        return
    for start in range(0, end, 1 << 20):
        part = slice(start, start + (1 << 20))
        left = (matching.partner[part] < 0) & ~matching.matched[part]
        rows = start + np.flatnonzero(left)
        matching.partner[rows] = rows
        matching.matched[rows] = True
        matching.changed[rows] = True


def _first(flags: Any, most: int, wanted: Any) -> list[int]:
    found: list[int] = []
    for start in range(0, len(flags), 1 << 20):
        here = np.flatnonzero(wanted(flags[start : start + (1 << 20)]))
        found += [start + int(row) for row in here[: most - len(found)]]
        if len(found) >= most:
            break
    return found


def _places(side: ParquetColumns, rows: Sequence[int], key: Key | None) -> dict[int, str]:
    """How rows are named to people: by key, or by number, counted from 0."""
    names = key.columns if key else ()
    if not names or not rows:
        return {row: f"row {row}" for row in rows}
    table = side.rows_at(names, rows)
    return {
        row: ", ".join(f"{name}={shown(table.column(name)[at])}" for name in names)
        for at, row in enumerate(rows)
    }


def _lines(side: ParquetColumns, rows: Sequence[int]) -> list[str]:
    """Rows' cells, a line for each row."""
    names, shapes = side.logical()
    table = side.rows_at(names, rows)
    return [
        shortened(
            ", ".join(f"{n}={shown(table.column(n)[at], n in shapes)}" for n in names), _LONG_ROW
        )
        for at in range(len(rows))
    ]
