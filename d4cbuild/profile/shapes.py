"""Columns of shapes, read run by run: their kinds, their points, and where they lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from d4cbuild.difference.wkb import NAMES, Coordinates, NotWKB, Shape, read_wkb

# The start of a little-endian point of two or three dimensions (ISO), and its name.
_POINTS = {b"\x01\x01\0\0\0": (2, "Point"), b"\x01\xe9\x03\0\0": (3, "Point Z")}

Box = tuple[float, float, float, float]
"""Least x and y, greatest x and y."""


@dataclass
class Pieces:
    """What shapes are made of, as it is drawn.

    Attributes:
        kinds: How many shapes of each kind.
        points: Points that stand alone.
        lines: Lines.
        areas: Rings of each area, the outer one first.
        empty: How many shapes have no point.
        unreadable: How many values are no WKB.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    points: list[Coordinates] = field(default_factory=list)
    lines: list[Coordinates] = field(default_factory=list)
    areas: list[list[Coordinates]] = field(default_factory=list)
    empty: int = 0
    unreadable: int = 0

    def coordinates(self) -> Coordinates:
        """All points, with x and y alone; NaN and infinite ones are left out."""
        rings = [ring for area in self.areas for ring in area]
        parts = [each[:, :2] for each in (*self.points, *self.lines, *rings)]
        found = np.concatenate(parts) if parts else np.empty((0, 2))
        return found[np.isfinite(found).all(axis=1)]


def pieces_of(column: pa.ChunkedArray) -> Pieces:
    """Take shapes apart.

    Args:
        column: WKB; nulls are passed over.
    """
    pieces = Pieces()
    for chunk in column.chunks:
        values = chunk.storage if isinstance(chunk.type, pa.BaseExtensionType) else chunk
        whole = values.drop_null().to_pylist()
        points = _plain_points(whole)
        if points is not None:
            pieces.kinds[points[1]] += len(whole)
            pieces.points.append(points[0])
            pieces.empty += int(np.isnan(points[0][:, 0]).sum())
            continue
        for value in whole:
            try:
                shape = read_wkb(value)
            except NotWKB:
                pieces.unreadable += 1
                continue
            pieces.kinds[shape.name] += 1
            lines = shape.coordinates()
            pieces.empty += all(np.isnan(line).all() for line in lines)
            for part in _simple(shape):
                _add(pieces, part)
    return pieces


def _plain_points(values: list[bytes]) -> tuple[Coordinates, str] | None:
    """The coordinates of nothing but plain points, without making a shape of each."""
    if not values:
        return None
    width = len(values[0])
    dimensions, name = _POINTS.get(values[0][:5], (0, ""))
    if width != 5 + 8 * dimensions or any(len(value) != width for value in values):
        return None
    matrix = np.frombuffer(b"".join(values), np.uint8).reshape(-1, width)
    if (matrix[:, :5] != matrix[0, :5]).any():
        return None
    return np.ascontiguousarray(matrix[:, 5:]).view("<f8") + 0.0, name


def _simple(shape: Shape) -> Iterator[Shape]:
    if shape.parts:
        for part in shape.parts:
            yield from _simple(part)
    else:
        yield shape


def _add(pieces: Pieces, part: Shape) -> None:
    name = NAMES[part.kind]
    if name == "Polygon":
        rings = [ring for ring in part.lines if len(ring)]
        if rings:
            pieces.areas.append(rings)
    elif part.lines and len(part.lines[0]):
        (pieces.points if name == "Point" else pieces.lines).append(part.lines[0])


def box_of(coordinates: Coordinates) -> Box | None:
    """The box around points; none where there is no point."""
    if not len(coordinates):
        return None
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def joined(one: Box | None, other: Box | None) -> Box | None:
    """The box around two."""
    if one is None or other is None:
        return one or other
    return (*map(min, one[:2], other[:2]), *map(max, one[2:], other[2:]))  # type: ignore[return-value]
