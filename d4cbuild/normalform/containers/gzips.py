"""``d4c.gzip/1``: one member, no name, no time, one level."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from d4cbuild.normalform.containers.blocks import BLOCK_BYTES, deflated, even_blocks
from d4cbuild.normalform.containers.kept import Kept

MAGIC = b"\x1f\x8b\x08"
# No flags, no time, no hint at the level, operating system unknown.
HEADER = MAGIC + b"\0" + b"\0\0\0\0" + b"\0" + b"\xff"
SHORTEST_MEMBER = 18
"""Bytes of the shortest member."""
_EXTRA = 4


def unpacked(source: Path) -> Iterator[bytes]:
    """Yield what is in a gzip file; members after each other are one content.

    Raises:
        Kept: if it is damaged, has bytes after its end, or an extra field, which may be an index.
    """
    with source.open("rb") as given:
        rest = given.read(BLOCK_BYTES)
        while rest.strip(b"\0"):
            if not rest.startswith(MAGIC):
                raise Kept("there are bytes after its end")
            if len(rest) < SHORTEST_MEMBER:
                raise Kept("it is cut short")
            if rest[3] & _EXTRA:
                raise Kept("it has an extra field, which may be an index of its blocks")
            rest = yield from _member(given, rest)
            if len(rest) < SHORTEST_MEMBER:
                rest += given.read(BLOCK_BYTES)
        # Zeros may follow, as on a tape.
        while block := given.read(BLOCK_BYTES):
            if block.strip(b"\0"):
                raise Kept("there are bytes after its end")


def _member(given: BinaryIO, rest: bytes) -> Generator[bytes, None, bytes]:
    member = zlib.decompressobj(31)
    while not member.eof:
        try:
            chunk = member.decompress(rest, BLOCK_BYTES)
        except zlib.error as error:
            raise Kept(f"it is damaged: {error}") from error
        yield chunk
        rest = member.unconsumed_tail or (b"" if member.eof else given.read(BLOCK_BYTES))
        if not rest and not chunk and not member.eof:
            raise Kept("it is cut short")
    return member.unused_data


def write_gzip(blocks: Iterable[bytes], target: Path) -> None:
    """Write bytes as a gzip file in its one form, in whatever chunks they come."""
    crc, size = 0, 0

    def counted() -> Iterator[bytes]:
        nonlocal crc, size
        for block in even_blocks(blocks):
            crc, size = zlib.crc32(block, crc), size + len(block)
            yield block

    with target.open("wb") as made:
        made.write(HEADER)
        for chunk in deflated(counted()):
            made.write(chunk)
        made.write(struct.pack("<II", crc, size & 0xFFFFFFFF))
