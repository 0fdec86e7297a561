"""Shapes read from WKB, as far as comparing them needs: in pure Python, for any bytes at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from d4cbuild.base.limits import LIMITS

NAMES = {
    1: "Point",
    2: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
}
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000
_DEEPEST = LIMITS.wkb_depth

Coordinates = np.ndarray[Any, np.dtype[np.float64]]
"""Points: a row for each, a column for each dimension."""


class NotWKB(ValueError):
    """Bytes are no shape."""


@dataclass(frozen=True)
class Shape:
    """A shape.

    Attributes:
        kind: Number of its type, without dimensions.
        dimensions: ``XY``, ``XYZ``, ``XYM`` or ``XYZM``.
        lines: Its point, line, or rings.
        parts: The shapes it is made of.
    """

    kind: int
    dimensions: str
    lines: tuple[Coordinates, ...] = ()
    parts: tuple[Shape, ...] = ()

    @property
    def name(self) -> str:
        """Its type, as GeoParquet names it."""
        return NAMES[self.kind] + self.dimensions[2:].join((" ", "")).rstrip()

    def coordinates(self) -> list[Coordinates]:
        """All its lines, and those of its parts, in order."""
        return [*self.lines, *(line for part in self.parts for line in part.coordinates())]


def read_wkb(data: bytes) -> Shape:
    """Read a shape, ISO or extended, of either byte order.

    Raises:
        NotWKB: if the bytes are none.
    """
    try:
        shape, at = _shape(data, 0, 0)
    except (struct.error, ValueError, KeyError, IndexError) as error:
        raise NotWKB(str(error)) from error
    if at != len(data):
        raise NotWKB("bytes are left over")
    return shape


def _shape(data: bytes, at: int, depth: int) -> tuple[Shape, int]:
    if depth > _DEEPEST:
        raise NotWKB("nested too deeply")
    order = {0: ">", 1: "<"}[data[at]]
    (code,) = struct.unpack_from(f"{order}I", data, at + 1)
    at += 9 if code & _SRID else 5
    deep, measured = bool(code & _Z), bool(code & _M)
    code &= ~(_Z | _M | _SRID)
    deep, measured = deep or code // 1000 in (1, 3), measured or code // 1000 in (2, 3)
    kind = code % 1000
    if kind not in NAMES or code // 1000 > 3:
        raise NotWKB(f"type {code}")
    dimensions = "XY" + "Z" * deep + "M" * measured
    if kind == 1:
        line, at = _line(data, at, order, 1, len(dimensions))
        return Shape(kind, dimensions, (line,)), at
    (count,) = struct.unpack_from(f"{order}I", data, at)
    at += 4
    if kind == 2:
        line, at = _line(data, at, order, count, len(dimensions))
        return Shape(kind, dimensions, (line,)), at
    lines, parts = [], []
    for _ in range(count):
        if kind == 3:
            (points,) = struct.unpack_from(f"{order}I", data, at)
            line, at = _line(data, at + 4, order, points, len(dimensions))
            lines.append(line)
        else:
            part, at = _shape(data, at, depth + 1)
            parts.append(part)
    return Shape(kind, dimensions, tuple(lines), tuple(parts)), at


def _line(data: bytes, at: int, order: str, points: int, width: int) -> tuple[Coordinates, int]:
    end = at + 8 * points * width
    if end > len(data):
        raise NotWKB("cut short")
    values = np.frombuffer(data, f"{order}f8", points * width, at).astype("<f8").reshape(-1, width)
    values = values + 0.0  # no -0.0
    return values, end
