"""TIFFs built byte by byte: every form of the format, and what is kept as it is."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .forms import kept, rewritten

BLOCKS = [b"first", b"second block", b"", b"4"]
ASCII, SHORT, LONG, DOUBLE, IFD, LONG8 = 2, 3, 4, 12, 13, 16
WIDTHS = {ASCII: "s", SHORT: "H", LONG: "I", DOUBLE: "d", IFD: "I", LONG8: "Q"}


@dataclass
class Builder:
    """Writes a TIFF with gaps and in whatever order is asked for."""

    order: str = "<"
    big: bool = False
    gap: int = 3
    backwards: bool = False
    data: bytearray = field(default_factory=bytearray)

    def build(self, *directories: dict[int, tuple[int, object]]) -> bytes:
        mark = b"II" if self.order == "<" else b"MM"
        self.data += mark + (self.pack("HHH", 43, 8, 0) if self.big else self.pack("H", 42))
        link = len(self.data)
        self.data += self.place(0)
        for tags in directories:
            at = self.directory(tags)
            self.data[link : link + len(self.place(0))] = self.place(at)
            link = len(self.data) - len(self.place(0))
        return bytes(self.data)

    def directory(self, tags: dict[int, tuple[int, object]]) -> int:
        blocks = {} if 273 in tags or 324 in tags else self.blocks()
        entries = b""
        for number, (kind, values) in sorted({**tags, **blocks}.items()):
            raw = values if isinstance(values, bytes) else self.numbers(kind, values)
            count = len(raw) // struct.calcsize(WIDTHS[kind])
            entries += self.pack("HH", number, kind) + self.place(count)
            width = len(self.place(0))
            entries += raw.ljust(width, b"\0") if len(raw) <= width else self.place(self.put(raw))
        at = self.put(self.pack("Q" if self.big else "H", len(entries) // (20 if self.big else 12)))
        self.data += entries + self.place(0)
        return at

    def blocks(self) -> dict[int, tuple[int, object]]:
        places = [0] * len(BLOCKS)
        numbers = range(len(BLOCKS))
        for number in reversed(numbers) if self.backwards else numbers:
            places[number] = self.put(BLOCKS[number]) if BLOCKS[number] else 0
        sizes = (SHORT, [len(block) for block in BLOCKS])
        return {324: (LONG8 if self.big else LONG, places), 325: sizes}

    def put(self, raw: bytes) -> int:
        self.data += b"?" * self.gap + b"?" * ((len(self.data) + self.gap) % 2)
        self.data += raw
        return len(self.data) - len(raw)

    def numbers(self, kind: int, values: object) -> bytes:
        return self.pack(WIDTHS[kind] * len(values), *values)  # type: ignore[arg-type, misc]

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def place(self, value: int) -> bytes:
        return self.pack("Q" if self.big else "I", value)


TAGS: dict[int, tuple[int, object]] = {
    256: (SHORT, [64]),
    270: (ASCII, b"A description of more than eight bytes\0"),
    34736: (DOUBLE, struct.pack("<d", 1.5)),
    65000: (SHORT, [1, 2, 3, 4, 5]),
}
MADE: dict[int, tuple[int, object]] = {
    305: (ASCII, b"Some program 1.2\0"),
    306: (ASCII, b"2021:02:03 04:05:06\0"),
    316: (ASCII, b"my machine\0"),
}


def parsed(data: bytes) -> list[dict[int, object]]:
    """Tags and blocks, by an independent and careless reader."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    word, width = ("Q", 8) if big else ("I", 4)
    (at,) = struct.unpack_from(order + word, data, width)
    found = []
    while at:
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        at += 8 if big else 2
        tags: dict[int, object] = {}
        for _ in range(count):
            number, kind, values = struct.unpack_from(f"{order}HH{word}", data, at)
            size = struct.calcsize(WIDTHS[kind]) * values
            start = at + 4 + width
            if size > width:
                (start,) = struct.unpack_from(order + word, data, start)
                assert start % 2 == 0
            tags[number] = data[start : start + size]
            if number in (324, 325):
                tags[number] = struct.unpack_from(f"{order}{values}{WIDTHS[kind]}", data, start)
            at += 4 + 2 * width
        places, sizes = tags.pop(324), tags.pop(325)
        assert isinstance(places, tuple)
        assert isinstance(sizes, tuple)
        tags[0] = [data[p : p + s] for p, s in zip(places, sizes, strict=True)]
        found.append(tags)
        (at,) = struct.unpack_from(order + word, data, at)
    return found


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_reads_back_wherever_its_parts_were(tmp_path: Path, order: str, big: bool) -> None:
    path, overview = tmp_path / "t.tif", {**TAGS, 254: (LONG, [1])}
    path.write_bytes(Builder(order, big).build(TAGS, overview))
    data = rewritten(path)
    assert parsed(data) == parsed(path.read_bytes())
    assert parsed(data)[0][0] == BLOCKS
    assert data.index(BLOCKS[1]) > data.rindex(b"A description")
    for other in (
        Builder(order, big, gap=0),
        Builder(order, big, backwards=True, gap=11),
    ):
        path.write_bytes(other.build({**TAGS, **MADE}, {**overview, **MADE}))
        assert rewritten(path) == data
    path.write_bytes(Builder(order, big).build({**TAGS, 256: (SHORT, [65])}, overview))
    assert rewritten(path) != data


def built(path: Path, **more: tuple[int, object]) -> Path:
    path.write_bytes(Builder().build({**TAGS, **{int(k[1:]): v for k, v in more.items()}}))
    return path


def test_tiffs_that_would_lose_something_are_kept_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "t.tif"
    assert "tag 330" in kept(built(path, t330=(IFD, [8])))
    assert "tag 34665" in kept(built(path, t34665=(LONG, [8])))
    assert "tag 65001 is not known" in kept(built(path, t65001=(LONG, [8])))
    assert "blocks" in kept(built(path, t324=(LONG, [8]), t325=(LONG, [4, 4])))
    assert "one list of blocks" in kept(built(path, t324=(LONG, [8])))
    assert "overlap" in kept(built(path, t324=(LONG, [8, 10]), t325=(LONG, [4, 4])))
    assert "cut short" in kept(built(path, t324=(LONG, [8]), t325=(LONG, [4_000_000])))
    data = built(path).read_bytes()
    for end in (8, 40, len(data) - 5):
        path.write_bytes(data[:end])
        assert "cut short" in kept(path)
    (first,) = struct.unpack_from("<I", data, 4)
    path.write_bytes(data[:-4] + struct.pack("<I", first))
    assert "circle" in kept(path)
    path.write_bytes(data[:4] + bytes(4) + data[8:])
    assert "no directory" in kept(path)
    path.write_bytes(Builder(big=True).build(TAGS).replace(b"+\0\x08", b"+\0\x04", 1))
    assert "BigTIFF" in kept(path)


def test_what_gdal_says_of_another_layout_is_not_believed(tmp_path: Path) -> None:
    text = b"LAYOUT=IFDS_BEFORE_DATA\nKNOWN_INCOMPATIBLE_EDITION=YES\n"
    head = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(text)
    builder = Builder(gap=0)
    builder.put = lambda raw: _after(builder, head + text, raw)  # type: ignore[method-assign]
    (tmp_path / "t.tif").write_bytes(builder.build(TAGS))
    assert "laid out" in kept(tmp_path / "t.tif")


def _after(builder: Builder, ghost: bytes, raw: bytes) -> int:
    if len(builder.data) == 8:
        builder.data += ghost
    builder.data += b"\0" * (len(builder.data) % 2) + raw
    return len(builder.data) - len(raw)
