"""Values as people are shown them: short, on one line, and never two alike that are not."""

from __future__ import annotations

import unicodedata
from typing import Any

import pyarrow as pa

from d4cbuild.difference.wkb import NotWKB, Shape, read_wkb

LONGEST = 160
"""Characters."""


def shown(value: pa.Scalar, is_shape: bool = False) -> str:
    """A cell as one short line."""
    if not value.is_valid:
        return "null"
    try:
        plain = value.as_py()
    except (ValueError, OverflowError):  # a date before the year 1, or later than Python's last
        return shortened(str(value.cast(pa.string())) if value.type.num_fields == 0 else "?")
    if isinstance(plain, bytes):
        return _shape(plain) if is_shape else shortened(f"0x{plain[:LONGEST].hex()}")
    if isinstance(plain, float) and value.type == pa.float32():
        return str(value.cast(pa.string()))
    return shortened(quoted(plain) if isinstance(plain, str) else str(plain))


def quoted(text: str) -> str:
    """A text in quotes, with everything escaped that one would not see or could confuse."""
    whole = "".join(_visible(character) for character in text[: LONGEST + 1])
    return f'"{whole}"'


def _visible(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    # Combining marks and odd spaces look like something else, or like nothing.
    if character == " " or (character.isprintable() and not _combines(character)):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"


def printable(text: str) -> str:
    """A name as it is, but with everything escaped that a terminal would act upon or hide."""
    return "".join(c if c.isprintable() or c == "\n" else _visible(c) for c in text)


def _combines(character: str) -> bool:
    return unicodedata.combining(character) != 0


def shortened(text: str, longest: int = LONGEST) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def counted(count: int, of: str) -> str:
    """``1 cell``, ``2,000 cells``: a number with the plural of what is counted."""
    return f"{count:,} {of.removesuffix('s') if count == 1 else of}"


def _shape(data: bytes) -> str:
    try:
        shape = read_wkb(data)
    except NotWKB:
        return shortened(f"0x{data[:LONGEST].hex()}")
    lines = shape.coordinates()
    points = sum(len(line) for line in lines)
    return shortened(f"{shape.name}, {counted(points, 'points')}: {_first_points(shape)}")


def _first_points(shape: Shape) -> str:
    found: list[Any] = [point for line in shape.coordinates()[:4] for point in line[:4]]
    return ", ".join(" ".join(repr(float(number)) for number in point) for point in found[:4])
