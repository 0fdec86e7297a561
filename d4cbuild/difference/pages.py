"""Which column chunks of two files are the same bytes, so that nobody need decode them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow.parquet as pq

from d4cbuild.difference.pair import TablePair

_READ = 1 << 20


@dataclass(frozen=True)
class SamePages:
    """What was found.

    Attributes:
        aligned: Whether both files have row groups of the same rows.
        groups: How many row groups they have then.
        same: By column, the row groups in which all of its chunks are the same bytes.
    """

    aligned: bool
    groups: int = 0
    same: dict[str, frozenset[int]] = field(default_factory=dict)

    def other_groups(self, column: str) -> list[int]:
        """Row groups in which a column has other bytes."""
        same = self.same.get(column, frozenset())
        return [number for number in range(self.groups) if number not in same]

    @property
    def other_columns(self) -> list[str]:
        """Columns with other bytes somewhere."""
        return [name for name in self.same if self.other_groups(name)]

    @property
    def all_same(self) -> bool:
        """Whether every page of every column is the same."""
        return self.aligned and not self.other_columns


def same_pages(pair: TablePair) -> SamePages:
    """Compare the bytes of column chunks that lie at the same rows."""
    a, b = pair.a, pair.b
    if a.group_starts() != b.group_starts():
        return SamePages(aligned=False)
    chunks_a, chunks_b = _chunks(a.metadata), _chunks(b.metadata)
    same: dict[str, frozenset[int]] = {}
    with a.path.open("rb") as file_a, b.path.open("rb") as file_b:
        for name in dict.fromkeys([*a.schema.names, *b.schema.names]):
            if name not in a.schema.names or name not in b.schema.names:
                same[name] = frozenset()
                continue
            leaves_a = [leaf for leaf in chunks_a if _top(leaf, name)]
            leaves_b = [leaf for leaf in chunks_b if _top(leaf, name)]
            alike = leaves_a == leaves_b and a.schema.field(name).equals(b.schema.field(name))
            groups = range(a.metadata.num_row_groups) if alike else ()
            same[name] = frozenset(
                number
                for number in groups
                if all(
                    _same_chunk(file_a, chunks_a[leaf][number], file_b, chunks_b[leaf][number])
                    for leaf in leaves_a
                )
            )
    return SamePages(True, a.metadata.num_row_groups, same)


def _top(leaf: str, name: str) -> bool:
    return leaf == name or leaf.startswith(f"{name}.")


def _chunks(metadata: pq.FileMetaData) -> dict[str, list[pq.ColumnChunkMetaData]]:
    found: dict[str, list[pq.ColumnChunkMetaData]] = {}
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            found.setdefault(chunk.path_in_schema, []).append(chunk)
    return found


def chunk_place(chunk: pq.ColumnChunkMetaData) -> tuple[int, int]:
    """Where a chunk starts, and how many bytes it has."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        start = min(start, chunk.dictionary_page_offset)
    return start, chunk.total_compressed_size


def _same_chunk(
    file_a: BinaryIO, a: pq.ColumnChunkMetaData, file_b: BinaryIO, b: pq.ColumnChunkMetaData
) -> bool:
    (start_a, size_a), (start_b, size_b) = chunk_place(a), chunk_place(b)
    alike = (a.physical_type, a.compression, a.num_values) == (
        (b.physical_type, b.compression, b.num_values)
    )
    if size_a != size_b or size_a < 0 or min(start_a, start_b) < 0 or not alike:
        return False
    file_a.seek(start_a)
    file_b.seek(start_b)
    left = size_a
    while left:
        one, other = file_a.read(min(left, _READ)), file_b.read(min(left, _READ))
        if one != other or not one:
            return False
        left -= len(one)
    return True
