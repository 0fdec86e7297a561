"""Row order: a total order by declared keys, in memory or beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.scratch import Scratch
from d4cbuild.normalform.spilledkeys import SpilledKeys

EXAMPLES = 5
_BATCH = 1 << 20
# Sorting holds the keys twice, and three numbers of 64 bits for each row.
_KEY_COPIES = 2
_BYTES_PER_ROW = 24

RowNumbers = np.ndarray[Any, np.dtype[Any]]
"""Unsigned integers of 32 or 64 bits."""


class KeySorter:
    """Finds the order of rows by their keys alone.

    Ascending by each key in turn; text by its UTF-8 bytes; NaN after all numbers; nulls last.

    Args:
        memory: Bytes it may take; beyond them DuckDB sorts on disk.
        scratch: Temporary space.
        threads: Threads of DuckDB.
        expected: How many rows there will be, about.
    """

    def __init__(self, memory: int, scratch: Scratch, threads: int = 1, expected: int = 0) -> None:
        self._expected = expected
        self._memory = memory
        self._scratch = scratch
        self._threads = threads
        self._held: list[pa.Table] = []
        self._bytes = 0
        self._rows = 0
        self._spilled: SpilledKeys | None = None

    def add(self, keys: pa.Table) -> None:
        """Take the keys of the next rows: a column per key, the most significant first."""
        self._held.append(keys)
        self._rows += keys.num_rows
        self._bytes += _KEY_COPIES * keys.nbytes + _BYTES_PER_ROW * keys.num_rows
        if self._spilled is not None or self._bytes > self._memory:
            self._spill()

    def finish(self, runs: Iterable[Runs] = ()) -> RowNumbers:
        """Sort. Call once, after the last rows.

        Args:
            runs: What is to see the keys in order.

        Returns:
            Row numbers in order.
        """
        if self._spilled is None:
            return self._in_memory(runs)
        order = np.zeros(self._rows, np.uint32 if self._rows < 1 << 32 else np.uint64)
        at = 0
        for rows, keys in self._spilled.ordered():
            order[at : at + len(rows)] = rows
            at += len(rows)
            for run in runs:
                run.add(keys)
        return order

    def _in_memory(self, runs: Iterable[Runs]) -> RowNumbers:
        if not self._held:
            return np.zeros(0, np.uint64)
        keys = pa.concat_tables(self._held).combine_chunks()
        self._held = []
        if _ascends(keys):
            return np.arange(self._rows, dtype=np.uint64)
        order = _sorted(keys)
        for start in range(0, self._rows, _BATCH):
            piece = keys.take(pa.array(order[start : start + _BATCH]))
            for run in runs:
                run.add(piece)
        return order

    def _spill(self) -> None:
        if self._spilled is None:
            folder = self._scratch.new_folder()
            self._spilled = SpilledKeys(folder, self._memory, self._threads, self._expected)
        for keys in self._held:
            self._spilled.add(keys)
        self._held = []


def come_in_order(pieces: Iterable[pa.Table | None]) -> bool:
    """Whether the first key alone puts rows in the order they come in, without repeats.

    Args:
        pieces: Keys of consecutive rows, which are looked at up to the first that is out of order;
            nothing where they cannot be made.
    """
    last: pa.Table | None = None
    for keys in pieces:
        if keys is None or not _ascends(keys if last is None else pa.concat_tables([last, keys])):
            return False
        last = keys.slice(keys.num_rows - 1) if keys.num_rows else last
    return True


def _ascends(keys: pa.Table) -> bool:
    first = keys.column(0)
    if first.null_count:
        return False
    before, after = first.slice(0, max(len(first) - 1, 0)), first.slice(1)
    return bool(pc.all(pc.less(before, after), min_count=0).as_py())


def _sorted(keys: pa.Table) -> RowNumbers:
    first = keys.column(0)
    if first.null_count == 0 and pa.types.is_integer(first.type) and len(first) > 1:
        return _sorted_by_number(keys)
    # Nulls go last by default in every pyarrow; how to say so differs between versions.
    options = pc.SortOptions([(name, "ascending") for name in keys.column_names])
    result: RowNumbers = pc.sort_indices(keys, options=options).to_numpy()
    return result


def _sorted_by_number(keys: pa.Table) -> RowNumbers:
    """Sort by a first key of whole numbers: key and row number in one word, which is fastest.

    Of keys too large for that, the leading bits are taken. Rows that are alike in what was taken
    are then sorted among themselves, by all keys.
    """
    words = _distances(keys.column(0).to_numpy())
    row_bits = (len(words) - 1).bit_length()
    too_many = max(0, int(words.max()).bit_length() + row_bits - 64)
    words >>= np.uint64(too_many)
    words <<= np.uint64(row_bits)
    words |= np.arange(len(words), dtype=np.uint64)
    words.sort()
    rows = (words & np.uint64((1 << row_bits) - 1)).astype(
        np.uint32 if row_bits <= 32 else np.uint64
    )
    words >>= np.uint64(row_bits)
    alike = words[1:] == words[:-1]
    if (too_many or keys.num_columns > 1) and alike.any():
        places = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
        options = pc.SortOptions([(name, "ascending") for name in keys.column_names])
        order = pc.sort_indices(keys.take(pa.array(rows[places])), options=options).to_numpy()
        rows[places] = rows[places][order]
    return rows


def _distances(numbers: Any) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """How far each number is above the least."""
    wide = np.uint64 if numbers.dtype.kind == "u" else np.int64
    # Differences of 64 bits that are too large for their sign are right without one.
    with np.errstate(over="ignore"):
        distances = numbers.astype(wide) - wide(numbers.min())
    result: np.ndarray[Any, np.dtype[np.uint64]] = distances.view(np.uint64)
    return result


class Runs:
    """Watches keys go by in order and notes those that occur more than once.

    Attributes:
        extra: How many rows have the same key as the row before.
        examples: The first few such keys, and how often each occurs.

    Args:
        columns: How many of the leading columns to look at.
        with_nulls: Whether rows with a null count.
    """

    def __init__(self, columns: int, with_nulls: bool) -> None:
        self._columns = columns
        self._with_nulls = with_nulls
        self._last: pa.Table | None = None
        self.extra = 0
        self._found: list[tuple[tuple[Any, ...], int]] = []
        self._continues = False

    @property
    def examples(self) -> list[tuple[tuple[Any, ...], int]]:
        """The first few keys that occur more than once, and how often."""
        return self._found[:EXAMPLES]

    def add(self, keys: pa.Table) -> None:
        """See the next keys."""
        keys = keys.select(keys.column_names[: self._columns])
        if keys.num_rows == 0:
            return
        whole = keys if self._last is None else pa.concat_tables([self._last, keys])
        same = np.ones(whole.num_rows - 1, dtype=bool)
        for column in whole.columns:
            before, after = column.slice(0, len(column) - 1), column.slice(1)
            same &= _equal(before, after, self._with_nulls)
        self.extra += int(same.sum())
        self._note(whole, same)
        self._continues = bool(len(same) and same[-1])
        self._last = keys.slice(keys.num_rows - 1)

    def _note(self, whole: pa.Table, same: Any) -> None:
        for start, length in _stretches(same):
            if start == 0 and self._continues and self._found:
                key, count = self._found[-1]
                self._found[-1] = (key, count + length)
            elif len(self._found) <= EXAMPLES:
                row = whole.slice(start, 1)
                key = tuple(column[0].as_py() for column in row.columns)
                self._found.append((key, length + 1))
            else:
                return


def _stretches(same: Any) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield int(start), int(end - start)


def _equal(before: pa.ChunkedArray, after: pa.ChunkedArray, with_nulls: bool) -> Any:
    result = pc.fill_null(pc.equal(before, after), False)
    if with_nulls:
        result = pc.or_(result, pc.and_(before.is_null(), after.is_null()))
    if pa.types.is_floating(before.type):
        result = pc.or_(result, pc.fill_null(pc.and_(pc.is_nan(before), pc.is_nan(after)), False))
    return np.asarray(result.to_numpy(), dtype=bool)
