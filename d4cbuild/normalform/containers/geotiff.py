"""``d4c.geotiff/1``: directories first, then blocks in order; nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from d4cbuild.normalform.containers import tiff
from d4cbuild.normalform.containers.blocks import read_blocks
from d4cbuild.normalform.containers.kept import Kept
from d4cbuild.normalform.containers.tiff import MAGICS, Directory, Format, Tag, Tiff, read_tiff

__all__ = ["MAGICS", "rewrite_geotiff"]

LARGEST_CLASSIC = 0xFFFFFFFF
_PLACE_KIND = {False: 4, True: 16}
_MASK = 4

_Block = tuple[int, int]
"""A block: the number of its directory, and its own in it."""


def rewrite_geotiff(source: Path, target: Path) -> None:
    """Write a TIFF in its one form.

    Args:
        source: Any TIFF.
        target: The file to write.

    Raises:
        Kept: if it cannot be rewritten without losing something.
    """
    with source.open("rb") as given:
        old = read_tiff(given)
        around = _Surroundings(tiff.LEADERS in old.ghost, tiff.TRAILERS in old.ghost)
        start = _even(old.format.header_bytes + len(old.ghost))
        at = start
        for directory in old.directories:
            at = _directory_end(old.format, directory, at)
        places = _placed(old, at, around)
        with target.open("wb") as made:
            made.write(_header(old, start))
            made.write(old.ghost.ljust(start - old.format.header_bytes, b"\0"))
            at = start
            for number, directory in enumerate(old.directories):
                last = number == len(old.directories) - 1
                data = _directory(old.format, directory, places[number], at, last=last)
                at += made.write(data)
            for number, index in _order(old):
                directory = old.directories[number]
                block = directory.places[index], directory.sizes[index]
                _copy(given, made, block, around)


class _Surroundings:
    """What GDAL puts around each block of a cloud-optimised file."""

    def __init__(self, leader: bool, trailer: bool) -> None:
        self.before = 4 if leader else 0
        self.after = 4 if trailer else 0


def _even(at: int) -> int:
    return at + at % 2


def _order(old: Tiff) -> Iterator[_Block]:
    """Blocks in the order in which they are written: the smallest overview first."""
    for group in reversed(_groups(old)):
        for index in range(max(len(old.directories[number].places) for number in group)):
            for number in group:
                places = old.directories[number].places
                if index < len(places) and places[index]:
                    yield number, index


def _groups(old: Tiff) -> list[list[int]]:
    """Directories whose blocks take turns: an image and its mask, where GDAL says so."""
    groups: list[list[int]] = []
    for number, directory in enumerate(old.directories):
        if tiff.WITH_MASK in old.ghost and groups and _is_mask(old.format, directory):
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _is_mask(written: Format, directory: Directory) -> bool:
    order = "little" if written.order == "<" else "big"
    return any(
        int.from_bytes(tag.value, order) & _MASK  # type: ignore[arg-type]
        for tag in directory.tags
        if tag.number == tiff.SUBFILE_TYPE
    )


def _placed(old: Tiff, at: int, around: _Surroundings) -> list[list[int]]:
    """The new places of all blocks, by directory."""
    places = [[0] * len(directory.places) for directory in old.directories]
    for number, index in _order(old):
        places[number][index] = at + around.before
        at += around.before + old.directories[number].sizes[index] + around.after
    if at > LARGEST_CLASSIC and not old.format.big:
        raise Kept("in order it would be larger than a TIFF can be that is no BigTIFF")
    return places


def _tags(written: Format, directory: Directory, places: list[int]) -> list[Tag]:
    kind = _PLACE_KIND[written.big]
    lists = (
        Tag(directory.places_tag, kind, len(places), written.place(*places)),
        Tag(directory.sizes_tag, kind, len(places), written.place(*directory.sizes)),
    )
    return sorted([*directory.tags, *lists], key=lambda tag: tag.number)


def _directory_end(written: Format, directory: Directory, at: int) -> int:
    tags = _tags(written, directory, [0] * len(directory.places))
    at += written.directory_bytes(len(tags))
    for tag in tags:
        if len(tag.value) > written.word:
            at = _even(at) + len(tag.value)
    return _even(at)


def _directory(
    written: Format, directory: Directory, places: list[int], at: int, *, last: bool
) -> bytes:
    """A directory and its values.

    Args:
        written: How numbers are written.
        directory: What was read.
        places: The new places of its blocks.
        at: Where in the file it begins.
        last: Whether no other follows.
    """
    tags = _tags(written, directory, places)
    entries, values = bytearray(), bytearray()
    values_at = at + written.directory_bytes(len(tags))
    for tag in tags:
        if len(tag.value) <= written.word:
            value = tag.value.ljust(written.word, b"\0")
        else:
            values += b"\0" * ((values_at + len(values)) % 2)
            value = written.place(values_at + len(values))
            values += tag.value
        entries += written.short(tag.number, tag.kind) + written.place(tag.count) + value
    values += b"\0" * ((values_at + len(values)) % 2)
    following = 0 if last else values_at + len(values)
    return written.count(len(tags)) + entries + written.place(following) + values


def _header(old: Tiff, start: int) -> bytes:
    written = old.format
    mark = b"II" if written.order == "<" else b"MM"
    numbers = written.short(43, 8, 0) if written.big else written.short(42)
    return mark + numbers + written.place(start)


def _copy(given: BinaryIO, made: BinaryIO, block: tuple[int, int], around: _Surroundings) -> None:
    at, size = block
    if around.before:
        made.write(size.to_bytes(4, "little"))
    end = b""
    for chunk in read_blocks(given, at, size):
        made.write(chunk)
        end = (end + chunk)[-4:]
    if around.after:
        made.write(end.ljust(4, b"\0"))
