"""The writer: sorted rows in, one byte string out. The page ``spec/parquet-nf-1.md`` defines it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from d4cbuild.normalform.footer import EncodedGroup, FileAssembler
from d4cbuild.normalform.values import as_list

ROW_GROUP_ROWS = 122_880
PAGE_ROWS = 20_480
ZSTD_LEVEL = 3
DICTIONARY_MAXIMUM = 65_536
# How many times fewer the distinct values must be than all values, for a dictionary.
SHARE_OF_WIDE, SHARE_OF_OTHERS = 2, 4
UNLIMITED_BYTES = 1 << 30
PARQUET_VERSION = "2.6"
DATA_PAGE_VERSION = "1.0"


def write_row_groups(
    stream: BinaryIO,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    *,
    sort_columns: list[str],
    key_values: dict[str, bytes],
    shapes: frozenset[str] = frozenset(),
    workers: int = 1,
) -> None:
    """Write tables, already in order and in normal form, as one Parquet file.

    Args:
        stream: Where the file goes; written once from start to end.
        tables: Rows in order, in pieces of any size.
        schema: The file's schema.
        sort_columns: Leading columns the rows are sorted by, recorded in the file.
        key_values: Metadata of the file.
        shapes: Columns of WKB: the order of their bytes means nothing, so they get no statistics.
        workers: Row groups encoded at once. It does not change the bytes.
    """
    assembler = FileAssembler(stream)
    waiting: list[Future[EncodedGroup]] = []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for group in _row_groups(tables, schema):
            waiting.append(pool.submit(encode_row_group, group, sort_columns, shapes))
            if len(waiting) > workers:
                assembler.add(waiting.pop(0).result())
        for future in waiting:
            assembler.add(future.result())
    assembler.finish(key_values)


def _row_groups(tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    rest = schema.empty_table()
    written = False
    for table in tables:
        rest = pa.concat_tables([rest, table.cast(schema)])
        while rest.num_rows >= ROW_GROUP_ROWS:
            yield rest.slice(0, ROW_GROUP_ROWS)
            rest = rest.slice(ROW_GROUP_ROWS)
            written = True
    if rest.num_rows or not written:
        yield rest


def encode_row_group(
    table: pa.Table, sort_columns: list[str], shapes: frozenset[str] = frozenset()
) -> EncodedGroup:
    """Encode one row group as a Parquet file in memory, every setting given."""
    table = table.combine_chunks()
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
    values = len(leaf) - leaf.null_count
    distinct = pc.count_distinct(leaf, mode="only_valid").as_py()
    is_wide = not (pa.types.is_primitive(leaf.type) and not pa.types.is_decimal(leaf.type))
    share = SHARE_OF_WIDE if is_wide else SHARE_OF_OTHERS
    return bool(0 < distinct <= DICTIONARY_MAXIMUM and share * distinct <= values)


def _encoding(arrow: pa.DataType) -> str:
    if pa.types.is_floating(arrow):
        return "BYTE_STREAM_SPLIT"
    if pa.types.is_string(arrow) or pa.types.is_binary(arrow):
        return "DELTA_LENGTH_BYTE_ARRAY"
    if pa.types.is_boolean(arrow) or pa.types.is_decimal(arrow):
        return "PLAIN"
    return "DELTA_BINARY_PACKED"
