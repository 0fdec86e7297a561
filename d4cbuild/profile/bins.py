"""Histograms of numbers, dates and times between bounds that are known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.profile.record import Bar

MOST_BARS = 24
"""Of values that have steps; else 20."""

_BARS = 20

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def has_bars(arrow: pa.DataType) -> bool:
    """Whether a type's values can be put into a histogram."""
    kinds = pa.types
    is_number = kinds.is_integer(arrow) or kinds.is_floating(arrow) or kinds.is_decimal(arrow)
    is_moment = kinds.is_date(arrow) or kinds.is_time(arrow) or kinds.is_timestamp(arrow)
    return bool(is_number or is_moment)


def as_numbers(cells: pa.Array) -> Numbers:
    """Values as numbers: dates as days, times in their own unit; what is not finite is left out."""
    arrow = cells.type
    if pa.types.is_temporal(arrow):
        cells = cells.view(pa.int32() if arrow.bit_width == 32 else pa.int64())
    numbers: Numbers = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers[np.isfinite(numbers)]


class Bins:
    """Counts numbers in bars of equal width.

    Args:
        arrow: Type of the values.
        least: The smallest.
        greatest: The largest.
    """

    def __init__(self, arrow: pa.DataType, least: float, greatest: float) -> None:
        self._arrow = arrow
        self._least, self._greatest = least, greatest
        self._steps = pa.types.is_integer(arrow) or pa.types.is_temporal(arrow)
        if self._steps:
            self._width = float(max(1, math.ceil((greatest - least + 1) / MOST_BARS)))
            bars = min(math.floor((greatest - least) / self._width) + 1, MOST_BARS)
        else:
            # Halves first: the difference of the largest floats would be infinite.
            self._width = greatest / _BARS - least / _BARS or 1.0
            bars = _BARS if greatest > least else 1
        self._counts = np.zeros(bars, np.int64)

    def add(self, numbers: Numbers) -> None:
        """Add finite numbers within the bounds."""
        places = np.floor(numbers / self._width - self._least / self._width).astype(np.int64)
        places = np.clip(places, 0, len(self._counts) - 1)
        self._counts += np.bincount(places, minlength=len(self._counts))

    def bars(self) -> tuple[Bar, ...]:
        """The bars, from the least."""
        found = []
        for place, count in enumerate(self._counts.tolist()):
            low = self._least + place * self._width
            high = min(low + self._width - (1 if self._steps else 0), self._greatest)
            found.append(Bar(self._text(low), self._text(high), count))
        return tuple(found)

    def _text(self, number: float) -> str:
        if pa.types.is_temporal(self._arrow):
            try:
                whole = pa.array([int(number)], pa.int64())
                storage = whole.cast(pa.int32()) if self._arrow.bit_width == 32 else whole
                return str(storage.view(self._arrow).cast(pa.string())[0])
            except (pa.ArrowException, ValueError, OverflowError):
                return str(int(number))
        return str(int(number)) if self._steps else f"{number:.6g}"
