"""How many different values there are, and which are the most frequent: in bounded memory."""

from __future__ import annotations

import heapq
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.difference.hashes import Hashes, distinct, hash_cells

MOST_DISTINCT = 250_000
"""Different values that are counted, in each column."""

_MOST_FREQUENT = 10_000
_MOST_CHARACTERS = 1 << 20
_RARE = 200


class Distinct:
    """Counts different values, up to a limit."""

    def __init__(self) -> None:
        self._seen: Hashes | None = np.empty(0, np.uint64)

    def add(self, cells: pa.Array) -> None:
        """Add values; none is null."""
        if self._seen is None:
            return
        try:
            hashes = hash_cells(cells)
        except (pa.ArrowException, ValueError, TypeError):
            self._seen = None  # a type that has no hash here
            return
        self._seen = distinct(np.concatenate([self._seen, distinct(hashes)]))
        if len(self._seen) > MOST_DISTINCT:
            self._seen = None

    @property
    def count(self) -> int | None:
        """How many; none if they are more than are counted."""
        return None if self._seen is None else len(self._seen)


class Frequent:
    """Counts how often each value occurs, as long as there are few different ones."""

    def __init__(self) -> None:
        self._counts: Counter[object] | None = Counter()
        self._characters = 0

    def add(self, cells: pa.Array) -> None:
        """Add texts or truth values; none is null."""
        if self._counts is None:
            return
        for pair in pc.value_counts(cells).to_pylist():
            value = pair["values"]
            if value not in self._counts:
                self._characters += len(value) if isinstance(value, str) else 1
            self._counts[value] += pair["counts"]
        if len(self._counts) > _MOST_FREQUENT or self._characters > _MOST_CHARACTERS:
            self._counts = None

    def top(self, many: int) -> list[tuple[object, int]]:
        """The most frequent values with their counts, the most frequent first.

        Nothing if the values were too many, or even the most frequent one is rare.
        """
        if not self._counts:
            return []
        most, total = max(self._counts.values()), sum(self._counts.values())
        if most == 1 or most * _RARE < total:
            return []
        return heapq.nsmallest(many, self._counts.items(), key=lambda each: (-each[1], each[0]))
