"""The writer: sorted rows in, one byte string out. The page ``spec/parquet-nf-1.md`` defines it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from d4cbuild.normalform.content import ContentDigest, run_digests
from d4cbuild.normalform.footer import EncodedGroup, FileAssembler
from d4cbuild.normalform.values import as_list

ROW_GROUP_ROWS = 122_880
PAGE_ROWS = 20_480
ZSTD_LEVEL = 3
DICTIONARY_MAXIMUM = 65_536
DICTIONARY_SHARE = 4
UNLIMITED_BYTES = 1 << 30
PARQUET_VERSION = "2.6"
DATA_PAGE_VERSION = "1.0"


@dataclass(frozen=True)
class FileForm:
    """What a file is to be like.

    Attributes:
        schema: Its schema.
        declared: Its columns that are part of the content digest.
        sort_columns: Leading columns the rows are sorted by, recorded in the file.
        shapes: Columns of WKB: the order of their bytes means nothing, so they get no statistics.
    """

    schema: pa.Schema
    declared: list[str]
    sort_columns: list[str]
    shapes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EncodedRows:
    """A row group, ready to be put into a file."""

    group: EncodedGroup
    rows: int
    digests: list[bytes]
    nulls: list[int]


RowGroup = Callable[[], pa.Table]
"""Makes the rows of one row group, in order and in normal form, whenever it is called."""


class GroupWriter:
    """Writes row groups in the order they are put, encoding several at once.

    Args:
        stream: Where the file goes; written once from start to end.
        form: What it is to be like.
        digest: Takes the content of the rows.
        workers: Row groups encoded at once. It does not change the bytes.
    """

    def __init__(
        self, stream: BinaryIO, form: FileForm, digest: ContentDigest, workers: int
    ) -> None:
        self._assembler = FileAssembler(stream)
        self._form = form
        self._digest = digest
        self._workers = workers
        self._pool = ThreadPoolExecutor(max_workers=workers)
        self._waiting: deque[Future[EncodedRows]] = deque()
        self.rows = 0
        self.nulls = dict.fromkeys(form.declared, 0)

    def __enter__(self) -> GroupWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def put(self, group: RowGroup) -> None:
        """Take the next row group; waits while too many are being encoded."""
        self._waiting.append(self._pool.submit(_encode, group, self._form))
        while len(self._waiting) > self._workers:
            self._take(self._waiting.popleft().result())

    def _take(self, encoded: EncodedRows) -> None:
        self._assembler.add(encoded.group)
        self.rows += encoded.rows
        if encoded.rows:
            self._digest.add_run(encoded.rows, encoded.digests)
        for name, count in zip(self._form.declared, encoded.nulls, strict=True):
            self.nulls[name] += count

    def finish(self, key_values: dict[str, bytes]) -> None:
        """Write what is left and the footer.

        Args:
            key_values: Metadata of the file.
        """
        if not self._waiting and not self.rows:
            self.put(self._form.schema.empty_table)
        while self._waiting:
            self._take(self._waiting.popleft().result())
        self._assembler.finish(key_values)


def _encode(group: RowGroup, form: FileForm) -> EncodedRows:
    table = group().combine_chunks().cast(form.schema)
    declared = [table.column(name) for name in form.declared]
    return EncodedRows(
        group=encode_row_group(table, form.sort_columns, form.shapes),
        rows=table.num_rows,
        digests=run_digests(declared),
        nulls=[column.null_count for column in declared],
    )


def encode_row_group(
    table: pa.Table, sort_columns: list[str], shapes: frozenset[str] = frozenset()
) -> EncodedGroup:
    """Encode one row group as a Parquet file in memory, every setting given."""
    leaves = dict(_table_leaves(table))
    dictionaries, encodings = column_encodings(leaves)
    sorting = pq.SortingColumn.from_ordering(
        table.schema, [(name, "ascending") for name in sort_columns], null_placement="at_end"
    )
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        version=PARQUET_VERSION,
        data_page_version=DATA_PAGE_VERSION,
        compression="zstd",
        compression_level=ZSTD_LEVEL,
        use_dictionary=dictionaries,
        column_encoding=encodings,
        dictionary_pagesize_limit=UNLIMITED_BYTES,
        data_page_size=UNLIMITED_BYTES,
        max_rows_per_page=PAGE_ROWS,
        write_batch_size=PAGE_ROWS,
        write_statistics=[
            path for path, leaf in leaves.items() if path not in shapes and not _holds_nan(leaf)
        ],
        write_page_index=True,
        write_page_checksum=True,
        store_schema=False,
        use_compliant_nested_type=True,
        sorting_columns=sorting,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return EncodedGroup(memoryview(sink.getvalue()).cast("B"))


def column_encodings(leaves: dict[str, pa.Array]) -> tuple[list[str], dict[str, str]]:
    """Choose each leaf column's encoding by its type and by one count of its values.

    Args:
        leaves: The leaf columns by path.

    Returns:
        The paths of leaf columns to be dictionary encoded, and the encodings of all others.
    """
    dictionaries = [path for path, leaf in leaves.items() if _wants_dictionary(leaf)]
    encodings = {
        path: _encoding(leaf.type) for path, leaf in leaves.items() if path not in dictionaries
    }
    return dictionaries, encodings


def _table_leaves(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    for name, column in zip(table.schema.names, table.columns, strict=True):
        yield from _leaves(name, _single(column))


def _holds_nan(leaf: pa.Array) -> bool:
    # Writers leave NaN out of minimum and maximum, and some readers then look no further: without
    # statistics they do.
    if not pa.types.is_floating(leaf.type):
        return False
    return bool(np.isnan(leaf.drop_null().to_numpy()).any())


def _single(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if (column.num_chunks)
        else pa.array([], column.type)
    )


def _leaves(path: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    arrow: Any = array.type
    if pa.types.is_struct(arrow):
        for field, child in zip(arrow, array.flatten(), strict=True):
            yield from _leaves(f"{path}.{field.name}", child)
    elif pa.types.is_map(arrow):
        entries = as_list(array).flatten()
        yield from _leaves(f"{path}.key_value.key", entries.field(0))
        yield from _leaves(f"{path}.key_value.value", entries.field(1))
    elif pa.types.is_list(arrow):
        yield from _leaves(f"{path}.list.element", array.flatten())
    else:
        yield path, array


def _wants_dictionary(leaf: pa.Array) -> bool:
    if pa.types.is_boolean(leaf.type):
        return False
    leaf = leaf.drop_null()
    most = min(DICTIONARY_MAXIMUM, len(leaf) // DICTIONARY_SHARE)
    if most == 0:
        return False
    # Most columns without a dictionary show it in their first rows: these alone are too many.
    start = leaf.slice(0, most + most // 8 + 1)
    return _distinct(start) <= most and (len(start) == len(leaf) or _distinct(leaf) <= most)


def _distinct(leaf: pa.Array) -> int:
    return int(pc.count_distinct(leaf).as_py())


def _encoding(arrow: pa.DataType) -> str:
    if pa.types.is_floating(arrow):
        return "BYTE_STREAM_SPLIT"
    if pa.types.is_string(arrow) or pa.types.is_binary(arrow):
        return "DELTA_LENGTH_BYTE_ARRAY"
    if pa.types.is_boolean(arrow) or pa.types.is_decimal(arrow):
        return "PLAIN"
    return "DELTA_BINARY_PACKED"
