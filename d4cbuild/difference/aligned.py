"""Columns compared row by row, where the rows of both files stand at the same places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.cells import ColumnTally
from d4cbuild.difference.equality import differing
from d4cbuild.difference.pages import SamePages
from d4cbuild.difference.pair import PairedColumn, TablePair, cells_of

WORKERS = 2
"""Columns compared at once."""


def count_differing(
    pair: TablePair, pages: SamePages, columns: Sequence[PairedColumn]
) -> dict[str, int]:
    """How many cells of each column differ, row by row."""

    def work(column: PairedColumn) -> int:
        runs = _runs(pair, pages, column)
        return sum(int(differing(a, b).sum()) for _, a, b in runs)

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return dict(zip([c.name for c in columns], pool.map(work, columns), strict=True))


def tally_aligned(
    pair: TablePair,
    pages: SamePages,
    columns: Sequence[PairedColumn],
    changed: Any,
    examples: int,
) -> list[ColumnTally]:
    """Count and classify the cells that differ, row by row.

    Args:
        pair: The files, of as many rows.
        pages: What need not be looked at.
        columns: The columns to compare.
        changed: Set to true for each row with a cell that differs.
        examples: How many to keep of each class and column.
    """

    def work(column: PairedColumn) -> ColumnTally:
        tally = ColumnTally(column.name, column.is_shape, examples)
        for first, a, b in _runs(pair, pages, column):
            rows = np.flatnonzero(differing(a, b))
            if len(rows):
                changed[first + rows] = True
                chosen = pa.array(rows)
                tally.add(first + rows, first + rows, a.take(chosen), b.take(chosen))
        return tally

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        return list(pool.map(work, columns))


def _runs(
    pair: TablePair, pages: SamePages, column: PairedColumn
) -> Iterator[tuple[int, pa.Array, pa.Array]]:
    """Runs of a column's cells in both files, each with its first row; what is the same is not."""
    step = pair.step([column.name])
    for first, groups in _stretches(pair, pages, column.name):
        at = first
        runs_a = pair.a.runs([column.name], step, groups)
        for run_a, run_b in zip(runs_a, pair.b.runs([column.name], step, groups), strict=True):
            yield at, cells_of(run_a, column), cells_of(run_b, column)
            at += run_a.num_rows


def _stretches(
    pair: TablePair, pages: SamePages, name: str
) -> Iterator[tuple[int, list[int] | None]]:
    if not pages.aligned:
        yield 0, None
        return
    starts = pair.a.group_starts()
    held: list[int] = []
    for number in pages.other_groups(name):
        if held and number != held[-1] + 1:
            yield starts[held[0]], held
            held = []
        held.append(number)
    if held:
        yield starts[held[0]], held
