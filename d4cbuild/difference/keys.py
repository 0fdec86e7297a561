"""What rows are told apart by: a key that was given, declared, recorded or found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.hashes import combined, distinct, hash_cells
from d4cbuild.difference.pair import Budget, PairedColumn, TablePair, cells_of
from d4cbuild.difference.partitions import Partitions
from d4cbuild.difference.record import Key
from d4cbuild.errors import InputError
from d4cbuild.model.manifest import Manifest
from d4cbuild.model.parse import record_from_json
from d4cbuild.model.recipe import sort_column
from d4cbuild.tables.columns import ParquetColumns

MANIFEST = "manifest.json"
_KEPT_BY_VERIFY = ("expected_", "found_")
_TRIED_WHOLE = 6
"""Columns, or sets of them, of which it is asked over all rows whether they are a key."""
_MOST_IN_A_KEY = 4


def stated_key(pair: TablePair, given: Sequence[str], manifest: Path | None) -> Key | None:
    """The key that somebody has stated, the nearest first.

    Args:
        pair: The files.
        given: Columns the user named.
        manifest: A manifest the user named.

    Raises:
        InputError: if the user named a column that not both files have, or a bad manifest.
    """
    if given:
        return _given(pair, given)
    if manifest is not None:
        return _declared(pair, manifest) or _recorded(pair)
    beside = (side.path.parent / MANIFEST for side in (pair.a, pair.b))
    for path in beside:
        # A file of that name need not be ours; it was not asked for, so it is passed over.
        with suppress(InputError, OSError):
            if path.is_file() and (key := _declared(pair, path)) is not None:
                return key
    return _recorded(pair)


def _given(pair: TablePair, given: Sequence[str]) -> Key:
    known = [column.name for column in pair.comparable]
    if unknown := [name for name in given if name not in known]:
        raise InputError(
            "the key is no column of both files",
            expected=f"some of {', '.join(known[:40])}",
            found=", ".join(unknown),
            where="--key",
        )
    return Key(tuple(dict.fromkeys(given)), "--key")


def _declared(pair: TablePair, path: Path) -> Key | None:
    manifest = record_from_json(Manifest, path.read_bytes(), str(path))
    names = {_bare(side.path.name) for side in (pair.a, pair.b)}
    outputs = [
        declared
        for record, declared in zip(manifest.outputs, manifest.derivation.outputs, strict=False)
        if record.file in names or len(manifest.outputs) == 1
    ]
    for declared in outputs[:1]:
        unique = [c["name"] for c in declared.get("columns", []) if c.get("unique")]
        sort_by = [sort_column(key) for key in declared.get("sort_by", [])]
        for columns, what in ((unique[:1], "unique"), (sort_by, "sort_by")):
            if columns and _are_keys(pair, columns):
                return Key(tuple(columns), f"{what} in {path}")
    return None


def _bare(name: str) -> str:
    for prefix in _KEPT_BY_VERIFY:
        name = name.removeprefix(prefix)
    return name


def _are_keys(pair: TablePair, names: Sequence[str]) -> bool:
    return set(names) <= {column.name for column in pair.comparable}


def _recorded(pair: TablePair) -> Key | None:
    for side in (pair.a, pair.b):
        if not side.metadata.num_row_groups:
            continue
        sorting = side.metadata.row_group(0).sorting_columns
        leaves = [side.metadata.schema.column(each.column_index).path for each in sorting]
        if leaves and _are_keys(pair, leaves):
            return Key(tuple(leaves), f"sorting_columns in the footer of {side.path}")
    return None


def is_unique(pair: TablePair, key: Sequence[PairedColumn], budget: Budget) -> bool:
    """Whether no two rows have the same key, of files with the same keys at the same places."""
    return sum(len(ids) - len(distinct(ids)) for ids in _ids(pair, pair.a, key, budget)) == 0


def _ids(
    pair: TablePair, side: ParquetColumns, key: Sequence[PairedColumn], budget: Budget
) -> list[Any]:
    names = [column.name for column in key]
    # Alike for both sides, so that equal keys lie in partitions of one number.
    parts = Partitions(1, max(pair.a.rows, pair.b.rows), budget)
    for run in side.runs(names, side.step(names)):
        hashes = [hash_cells(cells_of(run, column)) for column in key]
        parts.add(combined(hashes, run.num_rows).reshape(-1, 1))
    return [parts.load(number)[:, 0] for number in range(parts.count)]


def found_key(
    pair: TablePair, columns: Sequence[PairedColumn], budget: Budget, in_place: bool = False
) -> Key | None:
    """Look for columns that tell rows apart in both files and mostly occur in both.

    Args:
        pair: The files.
        columns: Where to look.
        budget: What it may cost.
        in_place: Whether the columns hold the same cells in the same order in both files.
    """
    usable = [column for column in columns if _can_be_key(column)]
    if not usable or not pair.a.rows or not pair.b.rows:
        return None
    samples = [_sample(side, usable, pair) for side in (pair.a, pair.b)]
    best: tuple[float, Key] | None = None
    for names in _promising(usable, samples)[:_TRIED_WHOLE]:
        if in_place:
            share = 1.0 if is_unique(pair, pair.named(names), budget) else None
        else:
            share = _shared(pair, pair.named(names), budget)
        if share is not None and share >= 0.5 and (best is None or share > best[0]):
            best = share, Key(names, "found: no two rows have the same")
            if share == 1:
                break
    return None if best is None else best[1]


def _can_be_key(column: PairedColumn) -> bool:
    arrow = column.type
    return not (
        arrow is None
        or column.is_shape
        or pa.types.is_nested(arrow)
        or pa.types.is_floating(arrow)
        or pa.types.is_boolean(arrow)
        or pa.types.is_null(arrow)
    )


def _sample(
    side: ParquetColumns, columns: Sequence[PairedColumn], pair: TablePair
) -> dict[str, Any]:
    names = [column.name for column in columns]
    runs = side.runs(names, pair.step(names))
    run = next(runs)
    # Else the file stays open until somebody collects the generator.
    runs.close()  # type: ignore[attr-defined]
    return {column.name: hash_cells(cells_of(run, column)) for column in columns}


def _promising(
    columns: Sequence[PairedColumn], samples: list[dict[str, Any]]
) -> list[tuple[str, ...]]:
    """Sets of columns without repeats in the samples: single ones, or else one made up."""

    def repeats(names: Sequence[str]) -> int:
        hashes = (combined([sample[n] for n in names], len(sample[names[0]])) for sample in samples)
        return sum(len(ids) - len(distinct(ids)) for ids in hashes)

    by_repeats = sorted(((repeats([c.name]), c.name) for c in columns), key=lambda found: found[0])
    alone: list[tuple[str, ...]] = [(name,) for count, name in by_repeats if count == 0]
    if alone:
        return alone
    together: list[str] = []
    for _, name in by_repeats:
        if not together or repeats([*together, name]) < repeats(together):
            together.append(name)
        if repeats(together) == 0:
            return [tuple(together)]
        if len(together) == _MOST_IN_A_KEY:
            break
    return []


def _shared(pair: TablePair, key: Sequence[PairedColumn], budget: Budget) -> float | None:
    """Which share of the keys of the smaller file the other has too; none if they repeat."""
    common = 0
    parts = zip(
        _ids(pair, pair.a, key, budget), _ids(pair, pair.b, key, budget), strict=True
    )  # fmt: skip
    for a, b in parts:
        ids_a, ids_b = distinct(a), distinct(b)
        if len(ids_a) < len(a) or len(ids_b) < len(b):
            return None
        common += len(np.intersect1d(ids_a, ids_b, assume_unique=True))
    return common / min(pair.a.rows, pair.b.rows)
