"""Writing a zip in the one form of ``d4c.zip/1``."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from d4cbuild.normalform.containers.blocks import BLOCK_BYTES, deflated
from d4cbuild.normalform.containers.kept import Kept

STORED, DEFLATED = 0, 8
VERSION, VERSION_ZIP64 = 20, 45
UNIX = 3 << 8
UTF8_TEXT = 0x800
TIME, DATE = 0, (1 << 5) | 1  # midnight, 1 January 1980: the first there is
LONG = 0xFFFFFFFF
SHORT = 0xFFFF
FOLDER = 0x10  # as MS-DOS marks one
STORED_ALWAYS = frozenset({"mimetype"})


@dataclass(frozen=True, slots=True)
class Comment:
    """A member's comment.

    Attributes:
        raw: Its bytes.
        utf8: Whether they are known to be UTF-8.
    """

    raw: bytes
    utf8: bool


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    mode: int
    comment: Comment
    at: int
    method: int
    crc: int
    packed: int
    size: int

    def start(self, packed: int, size: int, *, wide: bool) -> bytes:
        """What a member's two headers have in common, up to the length of its name."""
        text = self.name + self.comment.raw
        flags = 0 if text.isascii() or not self.comment.utf8 else UTF8_TEXT
        return struct.pack(
            "<HHHHHIIIH",
            *(VERSION_ZIP64 if wide else VERSION, flags, self.method, TIME, DATE, self.crc),
            *(packed, size, len(self.name)),
        )


class ZipWriter:
    """Writes members as they are given.

    Args:
        made: An empty file, opened for writing.
        limit: From which number on the wider fields are used; another only in tests.
    """

    def __init__(self, made: BinaryIO, limit: int = LONG) -> None:
        self._made = made
        self._limit = limit
        self._written: list[_Written] = []

    def add(
        self,
        name: str,
        mode: int,
        comment: Comment,
        size: int,
        content: Callable[[], Iterable[bytes]],
    ) -> None:
        """Add a member: deflated where that makes it smaller, else stored.

        Args:
            name: Its name.
            mode: Its kind and permissions, as in a Unix file system.
            comment: Its comment.
            size: Its bytes.
            content: Gives them, in even blocks, each time it is called.

        Raises:
            Kept: if there are more or fewer.
        """
        at = self._made.tell()
        checked = _Checked(content)
        member = _Written(name.encode(), mode, comment, at, DEFLATED, 0, 0, size)
        if size <= BLOCK_BYTES:
            block = b"".join(checked)
            packed = block if name in STORED_ALWAYS else b"".join(deflated([block]))
            method, packed = (DEFLATED, packed) if len(packed) < size else (STORED, block)
            member = replace(member, method=method, crc=checked.crc, packed=len(packed))
            self._made.write(_local(member, self._limit) + packed)
        else:
            member = self._add_large(member, checked)
        if checked.size != size:
            raise Kept(f"the size of the member {name!a} is not what is said")
        self._written.append(member)

    def _add_large(self, member: _Written, checked: _Checked) -> _Written:
        """Try how small it gets; write the header when that is known."""
        data_at = member.at + len(_local(member, self._limit))
        packed = self._pack(data_at, deflated(checked), member.size)
        if packed < member.size:
            member = replace(member, crc=checked.crc, packed=packed)
        else:
            packed = self._pack(data_at, iter(checked), member.size + 1)
            member = replace(member, method=STORED, crc=checked.crc, packed=packed)
        self._made.seek(member.at)
        self._made.write(_local(member, self._limit))
        self._made.seek(data_at + packed)
        self._made.truncate()
        return member

    def _pack(self, at: int, chunks: Iterator[bytes], limit: int) -> int:
        """Write chunks while they stay below a limit; returns how many bytes there were."""
        self._made.seek(at)
        packed = 0
        for chunk in chunks:
            packed += self._made.write(chunk)
            if packed >= limit:
                break
        return packed

    def finish(self, comment: bytes) -> None:
        """Write the directory.

        Args:
            comment: The archive's comment.
        """
        at = self._made.tell()
        for member in self._written:
            self._made.write(_entry(member, self._limit))
        size = self._made.tell() - at
        self._made.write(_end(len(self._written), at, size, comment, self._limit))


class _Checked:
    """A content that is counted and checked while it goes by."""

    def __init__(self, content: Callable[[], Iterable[bytes]]) -> None:
        self._content = content
        self.crc = self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        self.crc = self.size = 0
        for block in self._content():
            self.crc, self.size = zlib.crc32(block, self.crc), self.size + len(block)
            yield block


def _local(member: _Written, limit: int) -> bytes:
    # Both sizes or none: so the format wants it here.
    if member.size < limit:
        start, extra = member.start(member.packed, member.size, wide=False), b""
    else:
        start = member.start(LONG, LONG, wide=True)
        extra = struct.pack("<HHQQ", 1, 16, member.size, member.packed)
    return b"PK\x03\x04" + start + struct.pack("<H", len(extra)) + member.name + extra


def _entry(member: _Written, limit: int) -> bytes:
    numbers = (member.size, member.packed, member.at)
    wide = [number for number in numbers if number >= limit]
    size, packed, at = (LONG if number >= limit else number for number in numbers)
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    folder = FOLDER if member.name.endswith(b"/") else 0
    rest = (len(extra), len(member.comment.raw), 0, 0, member.mode << 16 | folder, at)
    return (
        b"PK\x01\x02"
        + struct.pack("<H", UNIX | (VERSION_ZIP64 if wide else VERSION))
        + member.start(packed, size, wide=bool(wide))
        + struct.pack("<HHHHII", *rest)
        + member.name
        + extra
        + member.comment.raw
    )


def _end(count: int, at: int, size: int, comment: bytes, limit: int) -> bytes:
    wide = b""
    short = min(count, SHORT)
    fields = (b"PK\x05\x06", 0, 0, short, short, size, at, len(comment))
    if count >= SHORT or max(at, size) >= limit:
        version = UNIX | VERSION_ZIP64
        wide = struct.pack(
            "<4sQHHIIQQQQ",
            *(b"PK\x06\x06", 44, version, VERSION_ZIP64, 0, 0, count, count, size, at),
        )
        wide += struct.pack("<4sIQI", b"PK\x06\x07", 0, at + size, 1)
        small = (size if size < limit else LONG, at if at < limit else LONG)
        fields = (*fields[:5], *small, len(comment))
    return wide + struct.pack("<4sHHHHIIH", *fields) + comment
