"""The cells of partners that stand at different places, brought side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.cells import ColumnTally
from d4cbuild.difference.equality import differing
from d4cbuild.difference.matching import Matching
from d4cbuild.difference.pair import Budget, PairedColumn, TablePair, cells_of

_PLACE = "d4c place"
_MOST_FILES = 200
_AT_ONCE = 1 << 20


def tally_partners(
    pair: TablePair,
    columns: Sequence[PairedColumn],
    matching: Matching,
    budget: Budget,
    examples: int,
) -> list[ColumnTally]:
    """Count and classify the cells that differ between partners.

    Args:
        pair: The files.
        columns: The columns to compare.
        matching: Who belongs to whom.
        budget: What it may cost.
        examples: How many to keep of each class and column.
    """
    tallies = [ColumnTally(column.name, column.is_shape, examples) for column in columns]
    rows = int(np.count_nonzero(matching.changed))
    if not rows:
        return tallies
    share = _share(pair, columns, rows, budget)
    theirs = _their_rows(pair, columns, matching, share, budget)
    for number, (rows_a, run) in enumerate(_our_rows(pair, columns, matching, share)):
        other = theirs.load(number)
        for column, tally in zip(columns, tallies, strict=True):
            a, b = cells_of(run, column), cells_of(other, column)
            differ = np.flatnonzero(differing(a, b))
            if len(differ):
                chosen, in_a = pa.array(differ), rows_a[differ]
                tally.add(in_a, matching.partner[in_a], a.take(chosen), b.take(chosen))
    return tallies


def _share(pair: TablePair, columns: Sequence[PairedColumn], rows: int, budget: Budget) -> int:
    """How many pairs are compared at once."""
    names = [column.name for column in columns]
    weight = max(pair.a.bytes_of(names), pair.b.bytes_of(names)) // max(pair.a.rows, pair.b.rows, 1)
    fitting = budget.memory // 8 // max(weight, 1)
    return max(1, fitting, -(-rows // _MOST_FILES))


def _our_rows(
    pair: TablePair, columns: Sequence[PairedColumn], matching: Matching, share: int
) -> Iterator[tuple[Any, pa.Table]]:
    """A's rows of the pairs, a share at a time, each with its number."""
    names = [column.name for column in columns]
    held: list[pa.Table] = []
    numbers = np.zeros(0, np.int64)
    at = 0
    for run in pair.a.runs(names, pair.a.step(names)):
        picked = np.flatnonzero(matching.changed[at : at + run.num_rows])
        held.append(run.take(pa.array(picked)))
        numbers = np.concatenate([numbers, picked + at])
        at += run.num_rows
        while len(numbers) >= share:
            whole = pa.concat_tables(held)
            yield numbers[:share], whole.slice(0, share)
            held, numbers = [whole.slice(share)], numbers[share:]
    if len(numbers):
        yield numbers, pa.concat_tables(held)


class _Shares:
    """Rows laid into a file for each share of the pairs; in memory where one is enough."""

    def __init__(self, folder: Path, share: int, count: int) -> None:
        self._folder = folder
        self._share = share
        self._held: list[pa.Table] | None = [] if count == 1 else None
        self._writers: dict[int, Any] = {}

    def add(self, rows: pa.Table, places: Any) -> None:
        rows = rows.append_column(_PLACE, pa.array(places))
        if self._held is not None:
            self._held.append(rows)
            return
        numbers = places // self._share
        for number in np.unique(numbers):
            writer = self._writers.get(int(number))
            if writer is None:
                path = str(self._folder / str(number))
                writer = self._writers[int(number)] = pa.ipc.new_stream(path, rows.schema)
            writer.write_table(rows.filter(pa.array(numbers == number)))

    def finish(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def load(self, number: int) -> pa.Table:
        if self._held is not None:
            whole = pa.concat_tables(self._held)
        else:
            with pa.OSFile(str(self._folder / str(number))) as file:
                whole = pa.ipc.open_stream(file).read_all()
        order = np.argsort(whole.column(_PLACE).to_numpy())
        return whole.take(pa.array(order))


def _their_rows(
    pair: TablePair,
    columns: Sequence[PairedColumn],
    matching: Matching,
    share: int,
    budget: Budget,
) -> _Shares:
    """Lay B's rows of the pairs out by the order of A."""
    places = budget.numbers(pair.b.rows, np.int64, -1)
    count = 0
    for start in range(0, len(matching.changed), _AT_ONCE):
        rows = start + np.flatnonzero(matching.changed[start : start + _AT_ONCE])
        places[matching.partner[rows]] = np.arange(count, count + len(rows))
        count += len(rows)
    names = [column.name for column in columns]
    shares = _Shares(budget.scratch.new_folder(), share, -(-count // share))
    at = 0
    for run in pair.b.runs(names, pair.b.step(names)):
        here = places[at : at + run.num_rows]
        picked = np.flatnonzero(here >= 0)
        if len(picked):
            shares.add(run.take(pa.array(picked)), np.asarray(here[picked]))
        at += run.num_rows
    shares.finish()
    return shares
