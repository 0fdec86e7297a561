"""The content digest ``d4c.content/1``: a digest of the table, not of the file.

The page ``spec/content-digest-1.md`` defines it; this is the fast implementation.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

from d4cbuild.normalform.types import type_name
from d4cbuild.normalform.values import as_list, list_offsets, plain

RUN_ROWS = 122_880
DOMAIN = b"d4c.content/1\0"


class ContentDigest:
    """Takes a table in pieces, in row order, and gives its digest.

    Args:
        schema: Names, types and nullability, in column order. Storage variants do not matter.
        kinds: Names of types that Arrow does not show, by column: ``{"geometry": "geometry"}``.

    Attributes:
        columns: Name, type and nullability of each column.

    Raises:
        ValueError: if a column's type has no normal form.
    """

    def __init__(self, schema: pa.Schema, kinds: dict[str, str] | None = None) -> None:
        self.columns = tuple(
            (field.name, (kinds or {}).get(field.name) or type_name(field.type), field.nullable)
            for field in schema
        )
        self._columns = [blake3() for _ in schema]
        self._rest: pa.Table | None = None
        self._rows = 0

    def update(self, piece: pa.Table) -> None:
        """Add rows.

        Raises:
            ValueError: if a value has no normal form, such as a time of nanoseconds.
        """
        whole = piece if self._rest is None else pa.concat_tables([self._rest, piece])
        full = whole.num_rows - whole.num_rows % RUN_ROWS
        for start in range(0, full, RUN_ROWS):
            self.add_run(RUN_ROWS, run_digests(_plain(whole.slice(start, RUN_ROWS))))
        self._rest = whole.slice(full)

    def add_run(self, rows: int, digests: list[bytes]) -> None:
        """Add a run whose columns were digested by :func:`run_digests`.

        Args:
            rows: How many rows it has: :data:`RUN_ROWS`, but for the last run.
            digests: One per column.
        """
        self._rows += rows
        for hasher, digest in zip(self._columns, digests, strict=True):
            hasher.update(digest)

    def hexdigest(self) -> str:
        """The digest of all rows so far, in hex. Call once, at the end."""
        if self._rest is not None and self._rest.num_rows:
            self.add_run(self._rest.num_rows, run_digests(_plain(self._rest)))
            self._rest = None
        description = json.dumps(self.columns, ensure_ascii=False, separators=(",", ":")).encode()
        top = blake3(DOMAIN)
        top.update(struct.pack("<Q", len(description)))
        top.update(description)
        top.update(struct.pack("<Q", self._rows))
        for hasher in self._columns:
            top.update(hasher.digest())
        return top.hexdigest()


def _plain(table: pa.Table) -> list[pa.ChunkedArray]:
    return [plain(column) for column in table.columns]


def run_digests(columns: list[pa.ChunkedArray]) -> list[bytes]:
    """Digest a run of rows, column by column.

    Args:
        columns: Values of plain types, canonical.
    """
    return [_run_digest(column) for column in columns]


def _run_digest(column: pa.ChunkedArray) -> bytes:
    hasher = blake3()
    for part in serialise(_one_array(column)):
        hasher.update(part)
    return hasher.digest()


def content_digest(table: pa.Table, kinds: dict[str, str] | None = None) -> str:
    """Digest a whole table; returns hex."""
    digest = ContentDigest(table.schema, kinds)
    digest.update(table)
    return digest.hexdigest()


def serialise(array: pa.Array) -> Iterable[Any]:
    """Yield the byte buffers of an array of a plain type, in the fixed layout of the spec page."""
    yield from _validity(array)
    arrow = array.type
    if pa.types.is_boolean(arrow):
        yield _bits(pc.fill_null(array, False))
    elif pa.types.is_string(arrow) or pa.types.is_binary(arrow):
        yield from _variable(array)
    elif pa.types.is_struct(arrow):
        # flatten() gives the fields without offset and with the parent's nulls pushed down.
        for child in array.flatten():
            yield from serialise(child)
    elif pa.types.is_map(arrow) or pa.types.is_list(arrow):
        yield from _lists(array)
    else:
        yield _fixed(array)


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


def _validity(array: pa.Array) -> Iterable[Any]:
    if array.null_count == 0:
        yield b"\0"
        return
    yield b"\1"
    yield _bits(array.is_valid())


def _bits(array: pa.Array) -> Any:
    values = array.to_numpy(zero_copy_only=False)
    return np.packbits(values.astype(bool), bitorder="little").data


def _fixed(array: pa.Array) -> Any:
    width = array.type.bit_width // 8
    if array.null_count:
        raw = np.frombuffer(array.buffers()[1], np.uint8)
        start = array.offset * width
        cells = raw[start : start + len(array) * width].reshape(len(array), width).copy()
        cells[array.is_null().to_numpy(zero_copy_only=False)] = 0
        return cells.data
    data = array.buffers()[1]
    if data is None:
        return b""
    return memoryview(data)[array.offset * width : (array.offset + len(array)) * width]


def _variable(array: pa.Array) -> Iterable[Any]:
    if array.null_count:
        empty = "" if pa.types.is_string(array.type) else b""
        array = pc.fill_null(array, empty)
    if len(array) == 0:
        yield struct.pack("<q", 0)
        return
    _, offset_buffer, data = array.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[array.offset : array.offset + len(array) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    yield (offsets.astype("<i8") - first).view(np.uint8).data
    yield memoryview(data)[first:last] if data is not None else b""


def _lists(array: pa.Array) -> Iterable[Any]:
    lists = as_list(array) if pa.types.is_map(array.type) else array
    yield list_offsets(lists).astype("<i8").view(np.uint8).data
    # flatten() leaves out what lies behind null lists and outside a slice.
    yield from serialise(lists.flatten())
