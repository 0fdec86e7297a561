"""Row groups, each encoded as a small Parquet file, put together as one file.

Encoding row groups one by one lets each have its own encodings, lets several be encoded at once,
and puts every offset and every word of the footer into our own hands.

Field numbers are those of ``parquet.thrift`` of the Parquet format 2.11.
Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from d4cbuild.normalform.thrift import (
    BINARY,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    ThriftList,
    decode,
    encode,
)

MAGIC = b"PAR1"
CREATED_BY = b"d4cbuild parquet-nf/1"

# FileMetaData
_VERSION, _SCHEMA, _NUM_ROWS, _ROW_GROUPS, _KEY_VALUES, _CREATED_BY, _COLUMN_ORDERS = range(1, 8)
# RowGroup
_COLUMNS, _, _RG_ROWS, _, _RG_OFFSET, _, _ORDINAL = range(1, 8)
# ColumnChunk
_FILE_OFFSET, _META_DATA, _OI_OFFSET, _OI_LENGTH, _CI_OFFSET, _CI_LENGTH = range(2, 8)
# ColumnMetaData
_DATA_PAGE, _DICTIONARY_PAGE = 9, 11
# OffsetIndex, PageLocation
_LOCATIONS, _LOCATION_OFFSET = 1, 1
# What is kept of each structure; the rest is optional, and releases of pyarrow differ in it: up to
# 25 they miscount the levels of lists longer than a page.
_KEPT_OF_ROW_GROUP = frozenset(range(1, 8))
_KEPT_OF_CHUNK = frozenset({2, 3, 4, 5, 6, 7})
_KEPT_OF_METADATA = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13})  # no size_statistics
_KEPT_OF_COLUMN_INDEX = frozenset({1, 2, 3, 4, 5})  # no level histograms
_KEPT_OF_OFFSET_INDEX = frozenset({_LOCATIONS})  # no unencoded sizes
# KeyValue
_KEY, _VALUE = 1, 2


@dataclass(frozen=True)
class EncodedGroup:
    """One row group as the encoder left it: a whole Parquet file in memory."""

    data: memoryview

    def metadata(self) -> Struct:
        """The file's footer."""
        length = int.from_bytes(self.data[-8:-4], "little")
        return decode(self.data[len(self.data) - 8 - length : len(self.data) - 8])


@dataclass
class _Indexed:
    chunk: Struct
    column_index: bytes
    offset_index: Struct


@dataclass
class FileAssembler:
    """Writes row groups one after another, and the footer at the end.

    Args:
        stream: Where the file goes; written from its start to its end, never sought.
    """

    stream: BinaryIO
    _at: int = 0
    _rows: int = 0
    _groups: list[Struct] = field(default_factory=list)
    _indexes: list[_Indexed] = field(default_factory=list)
    _first: Struct | None = None

    def __post_init__(self) -> None:
        self._write(MAGIC)

    def _write(self, data: bytes | memoryview) -> None:
        self.stream.write(data)
        self._at += len(data)

    def add(self, group: EncodedGroup) -> None:
        """Append a row group."""
        footer = group.metadata()
        if self._first is None:
            self._first = footer
        for row_group in footer.get(_ROW_GROUPS).values:
            if row_group.get(_RG_ROWS):  # a table without rows is a file without row groups
                self._add_row_group(group.data, row_group)

    def _add_row_group(self, data: memoryview, row_group: Struct) -> None:
        row_group.keep(_KEPT_OF_ROW_GROUP)
        chunks: list[Struct] = row_group.get(_COLUMNS).values
        body_end = min(_index_start(chunk) for chunk in chunks)
        shift = self._at - len(MAGIC)
        self._write(data[len(MAGIC) : body_end])
        for chunk in chunks:
            self._indexes.append(_take_indexes(data, chunk, shift))
            _shift_chunk(chunk, shift)
        row_group.set(_RG_OFFSET, I64, row_group.get(_RG_OFFSET) + shift)
        row_group.set(_ORDINAL, I16, len(self._groups))
        self._rows += row_group.get(_RG_ROWS)
        self._groups.append(row_group)

    def finish(self, key_values: dict[str, bytes]) -> None:
        """Write the page indexes and the footer.

        Args:
            key_values: Metadata of the file; written in the order of their names.
        """
        if self._first is None:
            raise ValueError("a Parquet file needs at least one row group, which may be empty")
        for entry in self._indexes:
            if not entry.column_index:
                continue
            entry.chunk.set(_CI_OFFSET, I64, self._at)
            entry.chunk.set(_CI_LENGTH, I32, len(entry.column_index))
            self._write(entry.column_index)
        for entry in self._indexes:
            encoded = encode(entry.offset_index)
            entry.chunk.set(_OI_OFFSET, I64, self._at)
            entry.chunk.set(_OI_LENGTH, I32, len(encoded))
            self._write(encoded)
        footer = encode(self._footer(self._first, key_values))
        self._write(footer)
        self._write(len(footer).to_bytes(4, "little"))
        self._write(MAGIC)

    def _footer(self, first: Struct, key_values: dict[str, bytes]) -> Struct:
        footer = Struct()
        footer.set(_VERSION, *first.fields[_VERSION])
        footer.set(_SCHEMA, *first.fields[_SCHEMA])
        footer.set(_NUM_ROWS, I64, self._rows)
        footer.set(_ROW_GROUPS, LIST, ThriftList(STRUCT, self._groups))
        if key_values:
            pairs = [_key_value(name, key_values[name]) for name in sorted(key_values)]
            footer.set(_KEY_VALUES, LIST, ThriftList(STRUCT, pairs))
        footer.set(_CREATED_BY, BINARY, CREATED_BY)
        footer.set(_COLUMN_ORDERS, *first.fields[_COLUMN_ORDERS])
        return footer


def _key_value(name: str, value: bytes) -> Struct:
    return Struct({_KEY: (BINARY, name.encode()), _VALUE: (BINARY, value)})


def _index_start(chunk: Struct) -> int:
    start: int = chunk.get(_OI_OFFSET)
    return start if chunk.get(_CI_OFFSET) is None else min(start, chunk.get(_CI_OFFSET))


def _take_indexes(data: memoryview, chunk: Struct, shift: int) -> _Indexed:
    column_index = b""
    # A column without statistics has no column index.
    if chunk.get(_CI_OFFSET) is not None:
        at, length = chunk.get(_CI_OFFSET), chunk.get(_CI_LENGTH)
        column_index = _kept(data[at : at + length], _KEPT_OF_COLUMN_INDEX)
    at, length = chunk.get(_OI_OFFSET), chunk.get(_OI_LENGTH)
    offset_index = decode(data[at : at + length])
    offset_index.keep(_KEPT_OF_OFFSET_INDEX)
    for location in offset_index.get(_LOCATIONS).values:
        location.set(_LOCATION_OFFSET, I64, location.get(_LOCATION_OFFSET) + shift)
    return _Indexed(chunk, column_index, offset_index)


def _kept(encoded: memoryview, fields: frozenset[int]) -> bytes:
    value = decode(encoded)
    value.keep(fields)
    return encode(value)


def _shift_chunk(chunk: Struct, shift: int) -> None:
    chunk.keep(_KEPT_OF_CHUNK)
    # The format deprecates file_offset; writers disagree about it, so it is always 0.
    chunk.set(_FILE_OFFSET, I64, 0)
    metadata: Struct = chunk.get(_META_DATA)
    metadata.keep(_KEPT_OF_METADATA)
    for number in _page_offsets(metadata):
        metadata.set(number, I64, metadata.get(number) + shift)


def _page_offsets(metadata: Struct) -> Iterator[int]:
    for number in (_DATA_PAGE, _DICTIONARY_PAGE):
        if metadata.get(number) is not None:
            yield number
