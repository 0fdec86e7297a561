"""The rows of a table in normal form and in order, a row group at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.findings import Findings, shown
from d4cbuild.normalform.normaliser import Normaliser
from d4cbuild.normalform.order import KeySorter, RowNumbers, Runs, come_in_order
from d4cbuild.normalform.reading import Source, in_equal_pieces
from d4cbuild.normalform.scatter import Partitions, groups_in_order
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.normalform.unique import note_repeated
from d4cbuild.normalform.write import ROW_GROUP_ROWS, RowGroup

PIECES_AHEAD = 4
"""Pieces that are read and normalised while one before them is laid into partitions."""


@dataclass(frozen=True)
class Settings:
    """How to go about it; none of it changes the rows.

    Attributes:
        memory: Bytes to work in, about.
        workers: Threads.
        scratch: Temporary space.
    """

    memory: int
    workers: int
    scratch: Scratch

    def sorter(self, rows: int) -> KeySorter:
        """Make what sorts keys of about so many rows."""
        return KeySorter(self.memory // 2, self.scratch, self.workers, rows)


@dataclass(frozen=True)
class OrderedRows:
    """Rows in order.

    Attributes:
        schema: The file's schema.
        groups: Row groups; to be gone through once. Where something is wrong with the table, there
            may be none, and what is wrong is known only after the last.
        geo: Gives the GeoParquet record, after the last row group.
        repaired: Gives the number of repaired shapes, after the last row group.
    """

    schema: pa.Schema
    groups: Iterator[RowGroup]
    geo: Callable[[], dict[str, Any] | None]
    repaired: Callable[[], int | None]


def ordered_groups(
    source: Source, declaration: Declaration, findings: Findings, settings: Settings
) -> OrderedRows:
    """Normalise, check and order rows, in memory where they fit and with files where not.

    Args:
        source: The rows.
        declaration: What they should be.
        findings: Where everything that is wrong goes.
        settings: Memory, threads and temporary space.
    """
    sorter = partial(settings.sorter, source.rows)
    normaliser = Normaliser(declaration, source.schema, findings, sorter, settings.workers)
    # The rows as they came, as normalised, and as ordered, besides what is being encoded.
    fits = source.weight() * 4 <= settings.memory
    groups = (
        _in_memory(source, normaliser, declaration, findings, settings)
        if fits
        else _beyond_memory(source, normaliser, declaration, findings, settings)
    )
    return OrderedRows(
        normaliser.file_schema,
        groups,
        lambda: normaliser.geo,
        lambda: normaliser.repaired,
    )


def _in_memory(
    source: Source,
    normaliser: Normaliser,
    declaration: Declaration,
    findings: Findings,
    settings: Settings,
) -> Iterator[RowGroup]:
    if _comes_in_order(source, normaliser, declaration):
        yield from _as_they_come(source, normaliser, findings)
        return
    sorter: KeySorter | None = settings.sorter(source.rows)
    pieces: list[pa.Table] = []
    for table in source.pieces():
        piece = normaliser.add(table)
        if piece.keys is None or sorter is None:
            sorter = None
        else:
            sorter.add(piece.keys)
        if piece.rows is not None:
            pieces.append(piece.rows)
    normaliser.finish()
    order = None if sorter is None else _checked_order(sorter, declaration, findings)
    if findings or order is None:
        return
    whole = pa.concat_tables(pieces)
    pieces.clear()
    if _is_in_order(order):
        for start in range(0, max(whole.num_rows, 1), ROW_GROUP_ROWS):
            yield partial(whole.slice, start, ROW_GROUP_ROWS)
    else:
        yield from groups_in_order(whole.combine_chunks(), pa.array(order))


def _comes_in_order(source: Source, normaliser: Normaliser, declaration: Declaration) -> bool:
    """Whether rows can be encoded while they come; not asked where keys are made of shapes."""
    if not normaliser.sortable or any(key.hilbert for key in declaration.keys):
        return False
    return come_in_order(map(normaliser.keys_of, source.pieces(normaliser.key_columns)))


def _is_in_order(order: RowNumbers) -> bool:
    return bool(np.array_equal(order, np.arange(len(order), dtype=order.dtype)))


def _beyond_memory(
    source: Source,
    normaliser: Normaliser,
    declaration: Declaration,
    findings: Findings,
    settings: Settings,
) -> Iterator[RowGroup]:
    weight = source.weight()
    with settings.scratch.filling(weight):
        order = _order_of_keys(source, normaliser, declaration, findings, settings)
    if order is None or findings:
        for table in source.pieces():
            normaliser.add(table)
        normaliser.finish()
        return
    if _is_in_order(order):
        yield from _as_they_come(source, normaliser, findings)
        return
    folder = settings.scratch.new_folder()
    partitions = Partitions(folder, normaliser.file_schema, order)
    del order
    with settings.scratch.filling(weight), ThreadPoolExecutor(max_workers=1) as pool:
        laying: deque[Future[None]] = deque()
        for table in source.pieces():
            rows = normaliser.add(table).rows
            if rows is not None and not findings:
                laying.append(pool.submit(partitions.add, rows))
            while len(laying) > PIECES_AHEAD:
                laying.popleft().result()
        for laid in laying:
            laid.result()
        partitions.close()
    normaliser.finish()
    if findings:
        return
    yield from partitions.row_groups()


def _order_of_keys(
    source: Source,
    normaliser: Normaliser,
    declaration: Declaration,
    findings: Findings,
    settings: Settings,
) -> RowNumbers | None:
    sorter = settings.sorter(source.rows)
    if not normaliser.sortable:
        return None
    for table in source.pieces(normaliser.key_columns):
        keys = normaliser.keys_of(table)
        if keys is None:
            return None
        sorter.add(keys)
    return _checked_order(sorter, declaration, findings)


def _as_they_come(source: Source, normaliser: Normaliser, findings: Findings) -> Iterator[RowGroup]:
    pieces = (normaliser.add(table).rows for table in source.pieces())
    whole = (rows for rows in pieces if rows is not None and not findings)
    for group in in_equal_pieces(whole, ROW_GROUP_ROWS):
        yield partial(_given, group)
    normaliser.finish()


def _given(table: pa.Table) -> pa.Table:
    return table


def _checked_order(sorter: KeySorter, declaration: Declaration, findings: Findings) -> RowNumbers:
    """Find the order of rows and check that it is total."""
    total = Runs(len(declaration.keys), with_nulls=True)
    first = Runs(1, with_nulls=False)
    column = declaration.column(declaration.first_key) if declaration.first_key else None
    is_unique = column is not None and column.unique
    order = sorter.finish([total, first] if is_unique else [total])
    if column is not None and is_unique:
        note_repeated(column.name, first, findings)
    if total.extra:
        names = ", ".join(key.text for key in declaration.keys)
        examples = [
            f"{', '.join(shown(value) for value in key)} occurs {count} times"
            for key, count in total.examples
        ]
        message = f"the key ({names}) is not a total order: rows share it with the row before"
        findings.add("", "sort_by", message, total.extra, examples)
    return order
