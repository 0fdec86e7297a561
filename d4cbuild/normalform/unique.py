"""Does a value occur twice?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from d4cbuild.normalform.findings import Findings, shown
from d4cbuild.normalform.order import EXAMPLES, KeySorter, Runs


class UniqueCheck:
    """Gathers a column's values and finds those that occur more than once. Nulls do not count.

    Args:
        name: The column.
        sorter: Puts its values into order, in memory or on disk.
    """

    def __init__(self, name: str, sorter: KeySorter) -> None:
        self._name = name
        self._sorter = sorter
        self._nested: Counter[str] = Counter()

    def add(self, column: pa.ChunkedArray) -> None:
        """Take more values, of a plain type."""
        if pa.types.is_nested(column.type):  # which has no order
            for chunk in column.drop_null().chunks:
                self._nested.update(repr(value) for value in chunk.to_pylist())
        else:
            self._sorter.add(pa.table({"0": column.drop_null()}))

    def finish(self, findings: Findings) -> None:
        """Report the values that occur more than once; rows beyond the first are counted."""
        runs = Runs(1, with_nulls=False)
        self._sorter.finish([runs])
        note_repeated(self._name, runs, findings)
        nested = [(value, count) for value, count in self._nested.items() if count > 1]
        if nested:
            extra = sum(count - 1 for _, count in nested)
            _note(self._name, extra, sorted(nested)[:EXAMPLES], findings)


def note_repeated(name: str, runs: Runs, findings: Findings) -> None:
    """Report what was seen of a column's values in order."""
    if runs.extra:
        _note(name, runs.extra, [(key[0], count) for key, count in runs.examples], findings)


def _note(name: str, extra: int, found: list[tuple[Any, int]], findings: Findings) -> None:
    examples = [f"{shown(value)} occurs {count} times" for value, count in found]
    findings.add(name, "unique", "values occur more than once", extra, examples)
