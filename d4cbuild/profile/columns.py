"""What is said of a column, gathered run by run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.difference.shown import quoted, shortened, shown
from d4cbuild.normalform.types import type_name
from d4cbuild.normalform.values import InexactCast, plain
from d4cbuild.profile.bins import Bins, as_numbers, has_bars
from d4cbuild.profile.distinct import Distinct, Frequent
from d4cbuild.profile.record import ColumnProfile, Frequency, Stored

EXAMPLES = 3
TOP = 6
_LONGEST = 60


def text_of(value: pa.Scalar, is_shape: bool = False) -> str:
    """A value as one short line; a text without quotes, unless it would look like another."""
    if value.is_valid and pa.types.is_string(value.type):
        text = value.as_py()
        whole = quoted(text)[1:-1]
        if whole == text and text == text.strip() and text not in ("", "null"):
            return shortened(text, _LONGEST)
        return shortened(quoted(text), _LONGEST)
    return shortened(shown(value, is_shape), _LONGEST)


class ColumnTally:
    """Gathers what is said of one column, in two rounds: bars need bounds that are known.

    Args:
        field: The column.
        is_shape: Whether its values are shapes.
        rows: Rows of the whole file.
    """

    def __init__(self, field: pa.Field, is_shape: bool, rows: int) -> None:
        self._field = field
        self._is_shape = is_shape
        self._nulls = self._present = self._numbers = self._finite = 0
        self._sum = 0.0
        self._least: pa.Scalar | None = None
        self._greatest: pa.Scalar | None = None
        self._bounds: tuple[float, float] | None = None
        self._lengths: tuple[int, int] | None = None
        self._distinct = Distinct()
        self._frequent = Frequent()
        self._examples: list[str] = []
        # In the middle of equal parts, so that a table that is sorted shows different values.
        self._wanted = [rows * (2 * i + 1) // (2 * EXAMPLES) for i in range(EXAMPLES)]
        self._bins: Bins | None = None

    def add(self, start: int, column: pa.ChunkedArray) -> None:
        """Add the values of a run in the first round.

        Args:
            start: Number of its first row.
            column: Its values.
        """
        cells = _plain(column)
        self._find_examples(start, cells)
        self._nulls += cells.null_count
        cells = cells.drop_null()
        self._present += len(cells)
        if not len(cells):
            return
        if not self._is_shape:
            self._distinct.add(cells)
            self._find_bounds(cells)
        if pa.types.is_string(cells.type) or pa.types.is_boolean(cells.type):
            self._frequent.add(cells)
        if pa.types.is_string(cells.type):
            found = pc.min_max(pc.utf8_length(cells)).as_py()
            low, high = self._lengths or (found["min"], found["max"])
            self._lengths = min(low, found["min"]), max(high, found["max"])

    def start_bars(self) -> bool:
        """Begin the second round; returns whether this column has one."""
        if self._bounds is not None:
            self._bins = Bins(self._least.type if self._least else self._field.type, *self._bounds)
        return self._bins is not None

    def add_to_bars(self, column: pa.ChunkedArray) -> None:
        """Add the values of a run in the second round."""
        assert self._bins is not None  # noqa: S101 - start_bars() has said so
        self._bins.add(as_numbers(_plain(column).drop_null()))

    def profile(self, stored: Stored) -> ColumnProfile:
        """What was found."""
        least, greatest = self._least, self._greatest
        shortest, longest = self._lengths or (None, None)
        top = self._frequent.top(TOP)
        return ColumnProfile(
            name=self._field.name,
            type="geometry" if self._is_shape else _type(self._field.type),
            nullable=self._field.nullable,
            nulls=self._nulls,
            distinct=None if self._is_shape else self._distinct.count,
            least=None if least is None else text_of(least),
            greatest=None if greatest is None else text_of(greatest),
            mean=self._mean(),
            not_finite=self._numbers - self._finite,
            shortest=shortest,
            longest=longest,
            bars=self._bins.bars() if self._bins is not None else (),
            top=tuple(Frequency(text_of(_scalar(value)), count) for value, count in top),
            examples=tuple(self._examples),
            stored=stored,
            is_unique=self._distinct.count == self._present > 1,
        )

    def _mean(self) -> float | None:
        is_moment = pa.types.is_temporal(self._field.type)
        if is_moment or not self._finite or not math.isfinite(self._sum):
            return None
        return self._sum / self._finite

    def _find_examples(self, start: int, cells: pa.Array) -> None:
        end = start + len(cells)
        if not self._wanted or self._wanted[0] >= end:
            return
        present = np.flatnonzero(cells.is_valid().to_numpy(zero_copy_only=False))
        while self._wanted and self._wanted[0] < end and len(present):
            # The first value there or after it, be it in another run.
            place = int(np.searchsorted(present, max(self._wanted[0] - start, 0)))
            if place == len(present):
                return
            text = text_of(cells[int(present[place])], self._is_shape)
            if text not in self._examples:
                self._examples.append(text)
            self._wanted.pop(0)

    def _find_bounds(self, cells: pa.Array) -> None:
        if has_bars(cells.type):
            numbers = as_numbers(cells)
            self._finite += len(numbers)
            self._numbers += len(cells)
            if not len(numbers):
                return
            with np.errstate(over="ignore"):
                self._sum += float(np.sum(numbers))
            low, high = float(numbers.min()), float(numbers.max())
            before = self._bounds or (low, high)
            self._bounds = min(low, before[0]), max(high, before[1])
            if pa.types.is_floating(cells.type):
                cells = cells.filter(pc.is_finite(cells))
        elif not pa.types.is_string(cells.type):
            return
        found = pc.min_max(cells)
        for name, is_less in (("min", True), ("max", False)):
            self._keep(found[name], is_less)

    def _keep(self, value: pa.Scalar, is_less: bool) -> None:
        held = self._least if is_less else self._greatest
        if held is not None:
            compare = pc.less if is_less else pc.greater
            value = value if compare(value, held).as_py() else held
        if is_less:
            self._least = value
        else:
            self._greatest = value


def stored_columns(metadata: Any, names: Sequence[str]) -> dict[str, Stored]:
    """How columns are stored, by what the footer says.

    Args:
        metadata: The footer.
        names: The columns wanted.
    """
    sizes = dict.fromkeys(names, 0)
    encodings: dict[str, set[str]] = {name: set() for name in names}
    codecs: dict[str, set[str]] = {name: set() for name in names}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            path = chunk.path_in_schema
            name = path if path in sizes else path.split(".")[0]
            if name in sizes:
                sizes[name] += chunk.total_compressed_size
                encodings[name] |= set(chunk.encodings)
                codecs[name].add(chunk.compression)
    return {
        name: Stored(sizes[name], tuple(sorted(encodings[name])), tuple(sorted(codecs[name])))
        for name in names
    }


def _plain(column: pa.ChunkedArray) -> pa.Array:
    try:
        column = plain(column)
    except (InexactCast, ValueError):  # a type or value without normal form: as it is, then
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())  # many functions do not know the half
    found = column.combine_chunks()
    # Some versions of pyarrow give a chunked array even of one chunk.
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _scalar(value: object) -> pa.Scalar:
    return pa.scalar(value, pa.bool_() if isinstance(value, bool) else pa.string())


def _type(arrow: pa.DataType) -> str:
    try:
        return type_name(arrow)
    except ValueError:
        return str(arrow)
