"""Two Parquet files side by side, and what it may cost to compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.equality import common_type, comparable
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.tables.columns import ParquetColumns


@dataclass(frozen=True)
class PairedColumn:
    """A column that both files have.

    Attributes:
        name: Its name.
        type: The type in which its cells are compared; none if they cannot be.
        is_shape: Whether either file calls it geometry.
    """

    name: str
    type: pa.DataType | None
    is_shape: bool


@dataclass(frozen=True)
class TablePair:
    """Two opened files.

    Attributes:
        a: The first.
        b: The second.
        columns: Columns that both have, in the order of A; without coverings.
        coverings: Boxes around shapes that both have.
    """

    a: ParquetColumns
    b: ParquetColumns
    columns: tuple[PairedColumn, ...]
    coverings: tuple[PairedColumn, ...]

    @classmethod
    def of(cls, a: ParquetColumns, b: ParquetColumns) -> TablePair:
        """Find what two files have in common."""
        (names_a, shapes_a), (names_b, shapes_b) = a.logical(), b.logical()
        paired = [
            PairedColumn(
                name,
                common_type(a.schema.field(name).type, b.schema.field(name).type),
                name in shapes_a | shapes_b,
            )
            for name in a.schema.names
            if name in b.schema.names
        ]
        logical = set(names_a) | set(names_b)
        return cls(
            a,
            b,
            tuple(column for column in paired if column.name in logical),
            tuple(column for column in paired if column.name not in logical),
        )

    @property
    def comparable(self) -> tuple[PairedColumn, ...]:
        """The columns whose cells can be compared."""
        return tuple(column for column in self.columns if column.type is not None)

    def named(self, names: Sequence[str]) -> list[PairedColumn]:
        """Columns by their names, in the order wanted."""
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in names]

    def step(self, names: Sequence[str]) -> int:
        """How many rows of some columns are to be decoded at once, the same of both."""
        return min(self.a.step(names), self.b.step(names))


def cells_of(run: pa.Table, column: PairedColumn) -> pa.Array:
    """A column's cells in a run, ready to be compared."""
    assert column.type is not None  # noqa: S101 - only columns that can be compared are asked for
    return comparable(run.column(column.name), column.type)


@dataclass(frozen=True)
class Budget:
    """What comparing may cost.

    Attributes:
        memory: Bytes that are held at once, about, besides what Python and Arrow take to run.
        scratch: Room for the rest.
    """

    memory: int
    scratch: Scratch

    def numbers(self, count: int, kind: type[np.generic], fill: int = 0) -> Any:
        """An array, on disk if it is large for this budget."""
        if count * np.dtype(kind).itemsize <= self.memory // 32:
            return np.full(count, fill, kind)
        path = self.scratch.new_folder() / "numbers"
        array = np.lib.format.open_memmap(path, "w+", kind, (count,))
        if fill:
            array[:] = fill
        return array
