"""Cells that differ, told apart by class, counted, and the first few kept as examples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.equality import is_nothing, is_text, valid_rows
from d4cbuild.difference.floats import classify_floats, ulp_ranges
from d4cbuild.difference.hashes import hash_cells
from d4cbuild.difference.record import Example, Finding
from d4cbuild.difference.shapes import classify_shapes
from d4cbuild.difference.shown import shown
from d4cbuild.difference.texts import classify_texts

PIECE = 65_536
"""Cells classified at once."""


@dataclass
class ColumnTally:
    """What is known of the cells of one column that differ.

    Args:
        name: The column.
        is_shape: Whether its cells are WKB.
        examples: How many to keep of each class.
    """

    name: str
    is_shape: bool
    examples: int
    count: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    kept: dict[str, list[Example]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    _sums: list[np.uint64] = field(default_factory=lambda: [np.uint64(0), np.uint64(0)])

    def add(self, rows_a: Any, rows_b: Any, a: pa.Array, b: pa.Array) -> None:
        """Take cells that differ.

        Args:
            rows_a: Their rows in A.
            rows_b: Their rows in B.
            a: What A has there: canonical values.
            b: What B has there, of the same type.
        """
        for start in range(0, len(a), PIECE):
            part = slice(start, start + PIECE)
            self._add(rows_a[part], rows_b[part], a.slice(start, PIECE), b.slice(start, PIECE))

    def _add(self, rows_a: Any, rows_b: Any, a: pa.Array, b: pa.Array) -> None:
        for side, array in enumerate((a, b)):
            # Sums do not depend on order; they wrap around.
            with np.errstate(over="ignore"):
                self._sums[side] += hash_cells(array).sum(dtype=np.uint64)
        names, notes = self._classify(a, b)
        self.count += len(names)
        self.classes.update(Counter(names.tolist()))
        for name in set(names.tolist()):
            kept = self.kept.setdefault(name, [])
            for at in np.flatnonzero(names == name)[: self.examples - len(kept)]:
                row = int(at)
                kept.append(
                    Example(
                        where="",
                        before=shown(a[row], self.is_shape),
                        after=shown(b[row], self.is_shape),
                        row_a=int(rows_a[row]),
                        row_b=int(rows_b[row]),
                        note=notes.get(row, ""),
                    )
                )

    def _classify(self, a: pa.Array, b: pa.Array) -> tuple[Any, dict[int, str]]:
        valid_a, valid_b = valid_rows(a), valid_rows(b)
        names = np.full(len(a), "value", dtype=object)
        one = valid_a != valid_b
        names[one] = "null-value"
        names[one & (is_nothing(a) | is_nothing(b))] = "null-empty"
        both = np.flatnonzero(valid_a & valid_b)
        notes: dict[int, str] = {}
        if len(both):
            chosen = pa.array(both)
            found, said = self._classify_values(a.take(chosen), b.take(chosen))
            names[both] = found
            notes = {int(both[at]): text for at, text in said.items()}
        return names, notes

    def _classify_values(self, a: pa.Array, b: pa.Array) -> tuple[Any, dict[int, str]]:
        if self.is_shape and pa.types.is_binary(a.type):
            names, apart, notes = classify_shapes(a, b)
            self._measure_shapes(names, apart)
            return names, notes
        if pa.types.is_floating(a.type):
            return self._floats(a.to_numpy(zero_copy_only=False), b.to_numpy(zero_copy_only=False))
        if is_text(a.type):
            return classify_texts(a, b), {}
        return np.full(len(a), "value", dtype=object), {}

    def _floats(self, a: Any, b: Any) -> tuple[Any, dict[int, str]]:
        names, ulps = classify_floats(a, b)
        last = names == "float-bits"
        if last.any():
            facts = self.facts.setdefault("float-bits", {"ulps_max": 0, "ulps": Counter()})
            facts["ulps_max"] = max(facts["ulps_max"], int(ulps[last].max()))
            facts["ulps"].update(ulp_ranges(ulps[last]))
        with np.errstate(all="ignore"):
            by = np.abs(a.astype(np.float64) - b.astype(np.float64))
        for name in set(names.tolist()):
            self._largest(name, "largest_difference", by[names == name])
        near = np.flatnonzero(last)[: self.examples]
        return names, {int(at): f"{int(ulps[at])} ULP" for at in near}

    def _measure_shapes(self, names: Any, apart: Any) -> None:
        for name in ("geometry-precision", "geometry-shape"):
            self._largest(name, "farthest_apart", apart[names == name])

    def _largest(self, name: str, fact: str, values: Any) -> None:
        values = values[np.isfinite(values)]
        if len(values):
            facts = self.facts.setdefault(name, {})
            facts[fact] = max(float(values.max()), facts.get(fact, 0.0))

    @property
    def only_moved(self) -> bool:
        """Whether A and B have the same values where they differ, in other rows."""
        return self.count > 1 and self._sums[0] == self._sums[1]

    def findings(self) -> list[Finding]:
        """What was found, a class at a time, the commonest first."""
        if self.only_moved:
            self.facts.setdefault(max(self.classes, key=self.classes.__getitem__), {})[
                "same_values_in_other_rows"
            ] = True
        return [
            Finding(
                name=name,
                count=count,
                of="cells",
                says=self._says(name),
                column=self.name,
                facts=_plain(self.facts.get(name, {})),
                examples=tuple(self.kept.get(name, ())),
            )
            for name, count in sorted(self.classes.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _says(self, name: str) -> str:
        facts = self.facts.get(name, {})
        if "same_values_in_other_rows" in facts:
            return "A and B have the same values there, in other rows"
        if "ulps_max" in facts:
            return f"at most {facts['ulps_max']} ULP apart"
        if "farthest_apart" in facts:
            return f"points at most {facts['farthest_apart']:.3g} apart, in units of the CRS"
        if "largest_difference" in facts:
            return f"at most {facts['largest_difference']:.3g} apart"
        return ""


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {k: dict(v) if isinstance(v, Counter) else v for k, v in facts.items()}
