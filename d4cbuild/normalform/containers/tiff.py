"""Reading the directories of a TIFF, classic or BigTIFF, without looking into its blocks."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

from d4cbuild.normalform.containers.kept import Kept

CLASSIC_LE, CLASSIC_BE = b"II*\0", b"MM\0*"
BIG_LE, BIG_BE = b"II+\0", b"MM\0+"
MAGICS = (CLASSIC_LE, CLASSIC_BE, BIG_LE, BIG_BE)

STRIP_OFFSETS, STRIP_BYTES = 273, 279
TILE_OFFSETS, TILE_BYTES = 324, 325
SUBFILE_TYPE = 254
# When, with what and on which machine it was made.
DROPPED = frozenset({305, 306, 316})
# Tags that lead to further directories or blocks of their own.
POINTING = frozenset({288, 289, 330, 400, *range(512, 522), 34665, 34853, 37500, 40965, 50740})
# Tags with whole numbers that are known to be no places in the file.
NUMBERS = frozenset(
    {
        *(*range(254, 273), *range(274, 279), *range(280, 288), *range(290, 304)),
        *(*range(317, 324), *range(326, 329), *range(332, 348), *range(529, 533)),
        *(700, 33432, 33550, 33723, 33922, 34264, 34377, 34675, 34735, 34736, 34737),
        *(42112, 42113, 50674, 50844, 50909),
    }
)
# Bytes of a value, by the number of its type.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
MOST_DIRECTORIES = 4096
LEADERS = b"BLOCK_LEADER=SIZE_AS_UINT4"
TRAILERS = b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED"
WITH_MASK = b"MASK_INTERLEAVED_WITH_IMAGERY=YES"
GHOST_LINES = frozenset(
    {
        *(b"LAYOUT=IFDS_BEFORE_DATA", b"BLOCK_ORDER=ROW_MAJOR", LEADERS, TRAILERS, WITH_MASK),
        b"KNOWN_INCOMPATIBLE_EDITION=NO",
    }
)
_GHOST_HEAD = re.compile(rb"GDAL_STRUCTURAL_METADATA_SIZE=([0-9]{6}) bytes\n")
_GHOST_HEAD_BYTES = 43
_PAIRS = ((STRIP_OFFSETS, STRIP_BYTES), (TILE_OFFSETS, TILE_BYTES))
_BLOCKS = frozenset(number for pair in _PAIRS for number in pair)
MOST_TAG_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Format:
    """How numbers are written in a file.

    Attributes:
        order: ``<`` or ``>``, as in :mod:`struct`.
        big: Whether it is a BigTIFF.
    """

    order: str
    big: bool

    @property
    def word(self) -> int:
        """Bytes of a place in the file."""
        return 8 if self.big else 4

    @property
    def entry_bytes(self) -> int:
        """Bytes of a directory's entry."""
        return 20 if self.big else 12

    @property
    def header_bytes(self) -> int:
        """Bytes of the file's header."""
        return 16 if self.big else 8

    def directory_bytes(self, entries: int) -> int:
        """Bytes of a directory with so many entries."""
        return (8 if self.big else 2) + entries * self.entry_bytes + self.word

    def count(self, value: int) -> bytes:
        """How many entries a directory has, as it is written."""
        return struct.pack(self.order + ("Q" if self.big else "H"), value)

    def short(self, *values: int) -> bytes:
        """Numbers of two bytes, as they are written."""
        return struct.pack(f"{self.order}{len(values)}H", *values)

    def place(self, *values: int) -> bytes:
        """Places in the file, as they are written."""
        return struct.pack(f"{self.order}{len(values)}{'Q' if self.big else 'I'}", *values)


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        number: Which one.
        kind: The number of its type.
        count: How many values.
        value: Their bytes, in the file's byte order.
    """

    number: int
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Directory:
    """An image, an overview or a mask.

    Attributes:
        tags: All tags but those of the blocks' places and sizes, by number.
        places_tag: The number of the tag with the blocks' places; none if it has no blocks.
        sizes_tag: The number of the tag with their sizes.
        places: Where each block is; 0 for one left out.
        sizes: Bytes of each block.
    """

    tags: tuple[Tag, ...]
    places_tag: int
    sizes_tag: int
    places: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tiff:
    """What a TIFF is made of.

    Attributes:
        format: How its numbers are written.
        ghost: The text in which GDAL says how a cloud-optimised file is laid out; may be empty.
        directories: In the order of their chain.
    """

    format: Format
    ghost: bytes
    directories: tuple[Directory, ...]


class _Reader:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = stream.seek(0, 2)
        head = self.read(0, 8)
        self.format = Format("<" if head[:2] == b"II" else ">", head[2:4] in (b"+\0", b"\0+"))
        self.first_at = 4
        if self.format.big:
            if self.numbers("H", head[4:8]) != (8, 0):
                raise Kept("the places in this BigTIFF are not of 8 bytes")
            self.first_at = 8

    def read(self, at: int, size: int) -> bytes:
        """Bytes somewhere in the file."""
        if at < 0 or at + size > self.size or size > MOST_TAG_BYTES:
            raise Kept("it is cut short, or leads to places outside of it")
        self._stream.seek(at)
        return self._stream.read(size)

    def numbers(self, kind: str, data: bytes) -> tuple[int, ...]:
        """Whole numbers from bytes."""
        count = len(data) // struct.calcsize(kind)
        return struct.unpack(f"{self.format.order}{count}{kind}", data)

    def place(self, at: int) -> int:
        """A place in the file, written somewhere in it."""
        return self.numbers("Q" if self.format.big else "I", self.read(at, self.format.word))[0]


def read_tiff(stream: BinaryIO) -> Tiff:
    """Read the directories of a TIFF.

    Args:
        stream: The file.

    Raises:
        Kept: if it is damaged, or has something of which it is not known whether it could move.
    """
    reader = _Reader(stream)
    directories: list[Directory] = []
    seen: set[int] = set()
    at = reader.place(reader.first_at)
    while at:
        if at in seen or len(seen) >= MOST_DIRECTORIES:
            raise Kept("its directories go in a circle, or are too many")
        seen.add(at)
        directory, at = _directory(reader, at)
        directories.append(directory)
    if not directories:
        raise Kept("it has no directory")
    _check_blocks(reader, directories)
    return Tiff(reader.format, _ghost(reader), tuple(directories))


def _directory(reader: _Reader, at: int) -> tuple[Directory, int]:
    written = reader.format
    count_bytes = 8 if written.big else 2
    (count,) = reader.numbers("Q" if written.big else "H", reader.read(at, count_bytes))
    body = reader.read(at + count_bytes, count * written.entry_bytes)
    tags: dict[int, Tag] = {}
    for start in range(0, len(body), written.entry_bytes):
        tag = _tag(reader, body[start : start + written.entry_bytes])
        if tag.number in tags:
            raise Kept(f"the tag {tag.number} is there twice")
        tags[tag.number] = tag
    following = reader.place(at + count_bytes + len(body))
    return _with_blocks(reader, tags), following


def _tag(reader: _Reader, entry: bytes) -> Tag:
    number, kind = reader.numbers("H", entry[:4])
    word = reader.format.word
    (count,) = reader.numbers("Q" if reader.format.big else "I", entry[4:-word])
    unit = SIZES.get(kind)
    if unit is None or number in POINTING:
        raise Kept(f"the tag {number} leads to other places in it")
    if kind in (4, 16) and number not in NUMBERS | _BLOCKS and number not in DROPPED:
        raise Kept(f"the tag {number} is not known, and may lead to other places in it")
    if count * unit <= word:
        return Tag(number, kind, count, entry[-word:][: count * unit])
    (at,) = reader.numbers("Q" if reader.format.big else "I", entry[-word:])
    return Tag(number, kind, count, reader.read(at, count * unit))


def _with_blocks(reader: _Reader, tags: dict[int, Tag]) -> Directory:
    rest = tuple(
        tags[number] for number in sorted(tags) if number not in _BLOCKS and number not in DROPPED
    )
    present = [pair for pair in _PAIRS if any(number in tags for number in pair)]
    if len(present) != 1 or any(number not in tags for number in present[0]):
        raise Kept("a directory has not one list of blocks and one of their sizes")
    places_tag, sizes_tag = present[0]
    places = _whole_numbers(reader, tags[places_tag])
    sizes = _whole_numbers(reader, tags[sizes_tag])
    if len(places) != len(sizes):
        raise Kept("a directory has not as many blocks as sizes of blocks")
    # A block that was left out has neither place nor size.
    places = tuple(place if size else 0 for place, size in zip(places, sizes, strict=True))
    sizes = tuple(size if place else 0 for place, size in zip(places, sizes, strict=True))
    return Directory(rest, places_tag, sizes_tag, places, sizes)


def _whole_numbers(reader: _Reader, tag: Tag) -> tuple[int, ...]:
    kind = {3: "H", 4: "I", 16: "Q"}.get(tag.kind)
    if kind is None:
        raise Kept(f"the places of blocks in the tag {tag.number} are no whole numbers")
    return reader.numbers(kind, tag.value)


def _check_blocks(reader: _Reader, directories: list[Directory]) -> None:
    """See to it that no byte belongs to two blocks: copies would take more room each time."""
    blocks = sorted(
        block
        for each in directories
        for block in zip(each.places, each.sizes, strict=True)
        if block[0]
    )
    at = 0
    for place, size in blocks:
        if place < at:
            raise Kept("blocks overlap")
        at = place + size
    if at > reader.size:
        raise Kept("it is cut short")


def _ghost(reader: _Reader) -> bytes:
    at = reader.format.header_bytes
    if reader.size < at + _GHOST_HEAD_BYTES:
        return b""
    head = reader.read(at, _GHOST_HEAD_BYTES)
    found = _GHOST_HEAD.fullmatch(head)
    if found is None:
        return b""
    text = reader.read(at + _GHOST_HEAD_BYTES, int(found[1]))
    lines = [line for line in text.rstrip(b" ").split(b"\n") if line.strip()]
    if any(line.strip() not in GHOST_LINES for line in lines):
        raise Kept("GDAL says of it that it is laid out in a way that is not known")
    return head + text
