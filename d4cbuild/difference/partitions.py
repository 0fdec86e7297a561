"""Records of rows, laid into files by their hash where there are too many to hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from d4cbuild.difference.pair import Budget

# Sorting and joining a partition takes several copies of it.
_COPIES = 12


class Partitions:
    """Takes rows of 64-bit numbers, and gives them back partition by partition.

    Args:
        width: Numbers in each row; the first decides the partition.
        rows: How many rows there will be at most.
        budget: How much may be held.
    """

    def __init__(self, width: int, rows: int, budget: Budget) -> None:
        weight = max(1, rows * width * 8 * _COPIES)
        self._bits = max(0, (weight // max(1, budget.memory // 4)).bit_length())
        self._bits = min(self._bits, 9)
        self._width = width
        self._held: list[Any] = []
        self._folder = budget.scratch.new_folder() if self._bits else None

    @property
    def count(self) -> int:
        """How many partitions there are."""
        return 1 << self._bits

    def add(self, rows: Any) -> None:
        """Take rows: an array of uint64, as wide as was said."""
        if self._folder is None:
            self._held.append(rows)
            return
        place = rows[:, 0] >> np.uint64(64 - self._bits)
        order = np.argsort(place, kind="stable")
        ordered, ends = rows[order], np.searchsorted(place[order], np.arange(self.count + 1))
        for number in range(self.count):
            if ends[number] < ends[number + 1]:
                with (self._folder / str(number)).open("ab") as file:
                    file.write(np.ascontiguousarray(ordered[ends[number] : ends[number + 1]]).data)

    def load(self, number: int) -> Any:
        """All rows of one partition, in the order they came."""
        nothing = np.zeros((0, self._width), np.uint64)
        if self._folder is None:
            return np.concatenate([nothing, *self._held])
        path = self._folder / str(number)
        if not path.exists():
            return nothing
        return np.fromfile(path, np.uint64).reshape(-1, self._width)
