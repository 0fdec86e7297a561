"""Does a value occur twice?"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform.findings import EXAMPLES, Findings, shown


class UniqueCheck:
    """Gathers a column's values and finds those that occur more than once. Nulls do not count."""

    def __init__(self) -> None:
        self._values: list[pa.Array] = []

    def add(self, column: pa.ChunkedArray) -> None:
        """Take more values, of a plain type."""
        self._values += column.drop_null().chunks

    def finish(self, name: str, findings: Findings) -> None:
        """Report every value that occurs more than once; rows beyond its first are counted."""
        if not self._values:
            return
        column = pa.chunked_array(self._values)
        repeated = (
            _repeated_nested(column) if pa.types.is_nested(column.type) else _repeated(column)
        )
        extra = sum(count - 1 for _, count in repeated)
        if not extra:
            return
        examples = [f"{value} occurs {count} times" for value, count in repeated[:EXAMPLES]]
        findings.add(name, "unique", "values occur more than once", extra, examples)


def _repeated(column: pa.ChunkedArray) -> list[tuple[str, int]]:
    counts = column.value_counts()
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    return [(shown(entry["values"]), entry["counts"]) for entry in repeated.to_pylist()]


def _repeated_nested(column: pa.ChunkedArray) -> list[tuple[str, int]]:
    counts = Counter(repr(value) for chunk in column.chunks for value in chunk.to_pylist())
    return [(shown(value), count) for value, count in counts.items() if count > 1]
