"""How the rows of an output changed since the release before, where both files are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d4cbuild.base.digest import digests_of_file
from d4cbuild.difference.compare import compare
from d4cbuild.difference.options import DiffOptions
from d4cbuild.model.manifest import Manifest, OutputRecord
from d4cbuild.model.recipe import sort_column
from d4cbuild.release.changes import RowCounts
from d4cbuild.store import Store


@dataclass(frozen=True)
class RowComparer:
    """Compares data files of two releases.

    Attributes:
        store: Where they may be.
        dist: Where else they may be, under their names.
    """

    store: Store
    dist: Path

    def counts(self, old: Manifest, new: Manifest) -> dict[str, RowCounts]:
        """Count how rows changed, by output.

        Outputs whose table is the same, that are no tables, or of which a file is not on this
        machine, are left out.
        """
        before = {output.name: output for output in old.outputs}
        declared = {each["name"]: each for each in new.derivation.outputs}
        found = {}
        for output in new.outputs:
            other = before.get(output.name)
            if other is None or other.content is None or output.content in (None, other.content):
                continue
            one, two = self._file(other), self._file(output)
            if one is not None and two is not None:
                key = _key(declared[output.name], (other, output))
                rows = compare(one, two, DiffOptions(key=tuple(key), examples=1)).rows
                if rows is not None:
                    found[output.name] = RowCounts(rows.added, rows.removed, rows.changed)
        return found

    def _file(self, output: OutputRecord) -> Path | None:
        path = self.store.get(output.blake3)
        if path is not None:
            return path
        path = self.dist / output.file
        if path.is_file() and digests_of_file(path).blake3 == output.blake3:
            return path
        return None


def _key(declared: dict[str, Any], outputs: Sequence[OutputRecord]) -> list[str]:
    """What tells rows apart: a unique column, else the order's columns; empty to have it found."""
    known = set.intersection(*({column.name for column in each.columns} for each in outputs))
    unique = [column["name"] for column in declared["columns"] if column.get("unique")]
    if unique and unique[0] in known:
        return unique[:1]
    ordered = [sort_column(key) for key in declared["sort_by"]]
    return ordered if set(ordered) <= known else []
