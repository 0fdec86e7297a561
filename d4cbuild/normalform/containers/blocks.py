"""Bytes in blocks of one size, however they come, so that a compressor always sees the same."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from d4cbuild.normalform.containers.kept import Kept

BLOCK_BYTES = 1 << 20
LEVEL = 6


def read_blocks(stream: BinaryIO, at: int, size: int) -> Iterator[bytes]:
    """Yield a part of a file.

    Args:
        stream: The file.
        at: Where the part begins.
        size: Its bytes.

    Raises:
        Kept: if the file ends before it.
    """
    while size:
        stream.seek(at)
        block = stream.read(min(size, BLOCK_BYTES))
        if not block:
            raise Kept("it is cut short")
        yield block
        at += len(block)
        size -= len(block)


def even_blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks of :data:`BLOCK_BYTES`; the last may be shorter."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= BLOCK_BYTES:
            yield bytes(waiting[:BLOCK_BYTES])
            del waiting[:BLOCK_BYTES]
    if waiting:
        yield bytes(waiting)


def deflated(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the raw deflate stream of blocks, in the one way used here."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY)
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()
