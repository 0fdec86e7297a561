"""The writer: sorted rows in, one byte string out. The page ``spec/parquet-nf-1.md`` defines it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from d4cbuild.normalform.content import ContentDigest, run_digests
from d4cbuild.normalform.encoding import column_encodings
from d4cbuild.normalform.footer import EncodedGroup, FileAssembler

ROW_GROUP_ROWS = 122_880
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
    """

    schema: pa.Schema
    declared: list[str]
    sort_columns: list[str]


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
        group=encode_row_group(table, form.sort_columns),
        rows=table.num_rows,
        digests=run_digests(declared),
        nulls=[column.null_count for column in declared],
    )


def encode_row_group(table: pa.Table, sort_columns: list[str]) -> EncodedGroup:
    """Encode one row group as a Parquet file in memory, every setting given."""
    encodings = column_encodings(table)
    for name, coded in encodings.encoded.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at).with_type(coded.type), coded)
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
        compression_level=encodings.levels,
        use_dictionary=encodings.dictionaries,
        column_encoding=encodings.others,
        dictionary_pagesize_limit=UNLIMITED_BYTES,
        data_page_size=UNLIMITED_BYTES,
        max_rows_per_page=ROW_GROUP_ROWS,
        write_batch_size=ROW_GROUP_ROWS,
        write_statistics=encodings.statistics,
        write_page_index=True,
        write_page_checksum=True,
        store_schema=False,
        use_compliant_nested_type=True,
        sorting_columns=sorting,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return EncodedGroup(memoryview(sink.getvalue()).cast("B"))
