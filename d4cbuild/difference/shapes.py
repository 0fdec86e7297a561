"""How shapes differ: in how they are written, where they start, which way round, or for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.difference.wkb import Coordinates, NotWKB, Shape, read_wkb

_POINT = b"\x01\x01\0\0\0"
_POINT_BYTES = 21
_SLIGHT = 1e-9
"""Relative to the largest coordinate: within so much, arithmetic explains it."""
_DIGITS = 12


def classify_shapes(a: pa.Array, b: pa.Array) -> tuple[Any, Any, dict[int, str]]:
    """Name the class of each pair of WKB values that differ; none is null.

    Returns:
        Names of classes; how far apart their points are at most (NaN where they do not
        correspond); and what else is to be said of some, by row.
    """
    names = np.full(len(a), "", dtype=object)
    apart = np.full(len(a), np.nan)
    notes: dict[int, str] = {}
    points = _points(a), _points(b)
    if points[0] is not None and points[1] is not None:
        apart = np.abs(points[0] - points[1]).max(axis=1)
        names[:] = "geometry-shape"
        names[_is_slight(points[0], points[1])] = "geometry-precision"
        return names, apart, notes
    left = a.to_numpy(zero_copy_only=False)
    right = b.to_numpy(zero_copy_only=False)
    for row in range(len(left)):
        names[row], apart[row], note = compare_shapes(left[row], right[row])
        if note:
            notes[row] = note
    return names, apart, notes


def _points(array: pa.Array) -> Coordinates | None:
    """The coordinates of an array of nothing but plain points."""
    values = b"".join(array.to_pylist())
    if len(values) != _POINT_BYTES * len(array):
        return None
    matrix = np.frombuffer(values, np.uint8).reshape(-1, _POINT_BYTES)
    if (matrix[:, :5] != np.frombuffer(_POINT, np.uint8)).any():
        return None
    return np.ascontiguousarray(matrix[:, 5:]).view("<f8") + 0.0


def compare_shapes(a: bytes, b: bytes) -> tuple[str, float, str]:
    """Name the class of two WKB values that differ.

    Returns:
        The class, how far apart their points are at most, and what else is to be said.
    """
    try:
        left, right = read_wkb(a), read_wkb(b)
    except NotWKB as error:
        return "geometry-shape", np.nan, f"not readable as WKB: {error}"
    note = "" if left.name == right.name else f"{left.name} against {right.name}"
    left, right = _alone(left), _alone(right)
    if _same(left, right):
        return "geometry-form", 0.0, note
    for name, form in _FORMS:
        left, right = _formed(left, form), _formed(right, form)
        if _same(left, right):
            return name, 0.0, note
    left, right = _alone(read_wkb(a)), _alone(read_wkb(b))
    return (*_by_distance(left, right), note)


def _alone(shape: Shape) -> Shape:
    """A shape of one part as that part."""
    return shape.parts[0] if len(shape.parts) == 1 and 4 <= shape.kind <= 6 else shape


def _same(a: Shape, b: Shape) -> bool:
    if (a.kind, a.dimensions, len(a.lines), len(a.parts)) != (
        (b.kind, b.dimensions, len(b.lines), len(b.parts))
    ):
        return False
    lines = zip(a.lines, b.lines, strict=True)
    if not all(np.array_equal(x, y, equal_nan=True) for x, y in lines):
        return False
    return all(_same(x, y) for x, y in zip(a.parts, b.parts, strict=True))


_Form = Callable[[Shape, tuple[Coordinates, ...]], tuple[Coordinates, ...]]


def _formed(shape: Shape, form: _Form) -> Shape:
    parts = tuple(_formed(part, form) for part in shape.parts)
    if form is _in_order:
        parts = tuple(sorted(parts, key=_as_bytes))
    return Shape(shape.kind, shape.dimensions, form(shape, shape.lines), parts)


def _started(shape: Shape, lines: tuple[Coordinates, ...]) -> tuple[Coordinates, ...]:
    return tuple(map(_from_the_least, lines)) if shape.kind == 3 else lines


def _from_the_least(ring: Coordinates) -> Coordinates:
    if len(ring) < 2 or not np.array_equal(ring[0], ring[-1], equal_nan=True):
        return ring
    open_ring = ring[:-1]
    first = int(np.lexsort(open_ring.T[::-1])[0])
    turned = np.roll(open_ring, -first, axis=0)
    return np.concatenate([turned, turned[:1]])


def _wound(shape: Shape, lines: tuple[Coordinates, ...]) -> tuple[Coordinates, ...]:
    if shape.kind == 3:
        return tuple(line if _area(line) >= 0 else line[::-1] for line in lines)
    if shape.kind == 2:
        return tuple(min(line, line[::-1], key=lambda each: each.tobytes()) for line in lines)
    return lines


def _area(ring: Coordinates) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) if len(ring) else 0.0


def _in_order(_: Shape, lines: tuple[Coordinates, ...]) -> tuple[Coordinates, ...]:
    holes = sorted(lines[1:], key=lambda line: line.tobytes())
    return (*lines[:1], *holes)


def _as_bytes(shape: Shape) -> bytes:
    return bytes([shape.kind]) + b"".join(line.tobytes() for line in shape.coordinates())


# Each after the ones before it: what only differs by all of them has the name of the last.
_FORMS: tuple[tuple[str, _Form], ...] = (
    ("geometry-start", _started),
    ("geometry-winding", lambda shape, lines: _started(shape, _wound(shape, lines))),
    ("geometry-parts", _in_order),
)


def _by_distance(a: Shape, b: Shape) -> tuple[str, float]:
    """Compare point by point, as they are, and then with rings alike in start and winding."""
    for form in (None, _FORMS[1][1]):
        if form is not None:
            a, b = _formed(a, form), _formed(b, form)
        left, right = a.coordinates(), b.coordinates()
        if [each.shape for each in left] != [each.shape for each in right] or not left:
            return "geometry-shape", np.nan
        x, y = np.concatenate(left), np.concatenate(right)
        if x.size and bool(_is_slight(x, y).all()):
            return "geometry-precision", float(np.abs(x - y).max())
    return "geometry-shape", float(np.abs(x - y).max()) if x.size else np.nan


def _is_slight(a: Any, b: Any) -> Any:
    """Whether points are the same but for rounding, row by row."""
    reach = np.maximum(np.abs(a), np.abs(b)).max(axis=1, keepdims=True)
    alike = (np.abs(a - b) <= _SLIGHT * np.maximum(reach, 1e-300)) | (np.isnan(a) & np.isnan(b))
    found = alike.all(axis=1)
    with np.errstate(all="ignore"):
        narrow = (a.astype(np.float32) == b) | (b.astype(np.float32) == a)
        found |= (narrow | (a == b)).all(axis=1)
        for digits in range(_DIGITS, 0, -1):
            for fine, coarse in ((a, b), (b, a)):
                near = np.abs(fine - coarse) <= 0.5000001 * 10.0**-digits
                longer = (np.round(fine, digits + 1) != fine).any(axis=1)
                found |= (near & (np.round(coarse, digits) == coarse)).all(axis=1) & longer
    return found
