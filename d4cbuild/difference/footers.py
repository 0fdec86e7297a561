"""How the footers of two Parquet files differ, and how their pages are laid out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from d4cbuild.difference.pages import SamePages
from d4cbuild.difference.pair import TablePair
from d4cbuild.difference.record import Example, Finding
from d4cbuild.difference.shown import counted, shortened
from d4cbuild.tables.columns import ParquetColumns

_SHOWN_COLUMNS = 20


def footer_bytes(path: Path) -> bytes:
    """The footer as it lies in the file."""
    with path.open("rb") as file:
        end = file.seek(-8, 2)
        length = int.from_bytes(file.read(4), "little")
        file.seek(end - length)
        return file.read(length)


def footer_finding(pair: TablePair) -> Finding | None:
    """What of the footers differs besides what must, where the pages differ."""
    examples = [
        Example(name, before, after)
        for (name, before), (_, after) in zip(_facts(pair.a), _facts(pair.b), strict=True)
        if before != after
    ]
    examples += _key_values(pair)
    if not examples:
        return None
    return Finding("footer", len(examples), "fields", "", examples=tuple(examples))


def _facts(side: ParquetColumns) -> list[tuple[str, str]]:
    metadata = side.metadata
    chunks = list(_chunks(metadata))
    sorting = metadata.row_group(0).sorting_columns if metadata.num_row_groups else ()
    leaves = [metadata.schema.column(each.column_index).path for each in sorting]
    return [
        ("created_by", shortened(str(metadata.created_by))),
        ("format version", str(metadata.format_version)),
        ("sorting_columns", shortened(", ".join(leaves) or "none")),
        ("chunks with statistics", _share([chunk.is_stats_set for chunk in chunks])),
        ("chunks with a page index", _share([chunk.has_offset_index for chunk in chunks])),
    ]


def _share(flags: list[bool]) -> str:
    return "all" if all(flags) else "some" if any(flags) else "none"


def _chunks(metadata: pq.FileMetaData) -> Iterable[pq.ColumnChunkMetaData]:
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            yield group.column(place)


def _key_values(pair: TablePair) -> list[Example]:
    a, b = (dict(side.metadata.metadata or {}) for side in (pair.a, pair.b))
    return [
        Example(f"key-value {_text(name)}", _text(a.get(name)), _text(b.get(name)))
        for name in sorted({*a, *b})
        if a.get(name) != b.get(name)
    ]


def _text(value: bytes | None) -> str | None:
    return None if value is None else shortened(value.decode("utf-8", "backslashreplace"))


def encoding_finding(
    pair: TablePair, pages: SamePages, same_values: frozenset[str]
) -> Finding | None:
    """How the pages are written otherwise.

    Args:
        pair: The files.
        pages: Which chunks have the same bytes.
        same_values: Columns of which it is known that all cells are the same.
    """
    examples = []
    before, after = (_groups(side.metadata) for side in (pair.a, pair.b))
    if before != after:
        examples.append(Example("row groups", before, after))
    # Columns that are written alike are told together: wide tables have hundreds.
    alike: dict[tuple[str, str, str], list[str]] = {}
    for name in [column.name for column in pair.columns]:
        a, b = _written(pair.a, name), _written(pair.b, name)
        if a != b:
            alike.setdefault((a, b, ""), []).append(name)
        elif pages.aligned and name in same_values and pages.other_groups(name):
            note = "the same cells in other bytes: another version or setting of the writer"
            alike.setdefault((a, b, note), []).append(name)
    for (a, b, note), names in alike.items():
        where = shortened(f"{counted(len(names), 'columns')} {', '.join(names)}")
        examples.append(Example(where, a, b, note=note))
    if not examples:
        return None
    count = sum(len(names) for names in alike.values())
    return Finding("encoding", count or 1, "columns" if count else "layouts", "", None, {},
                   tuple(examples[:_SHOWN_COLUMNS]))  # fmt: skip


def _groups(metadata: pq.FileMetaData) -> str:
    rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    listed = ", ".join(f"{count:,}" for count in rows[:4])
    return f"{len(rows)}, of {listed}{' …' if len(rows) > 4 else ''} rows" if rows else "none"


def _written(side: ParquetColumns, name: str) -> str:
    chunks: list[Any] = [
        chunk
        for chunk in _chunks(side.metadata)
        if chunk.path_in_schema == name or chunk.path_in_schema.startswith(f"{name}.")
    ]
    codecs = sorted({str(chunk.compression) for chunk in chunks})
    encodings = sorted({str(encoding) for chunk in chunks for encoding in chunk.encodings})
    return shortened(f"{'/'.join(codecs)}; {', '.join(encodings)}")
