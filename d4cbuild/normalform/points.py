"""Columns of plain points, brought to normal form without making a shape of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.place import Boxes

# The start of a little-endian point, and how many numbers follow.
_KINDS = {b"\x01\x01\0\0\0": (2, "Point"), b"\x01\xe9\x03\0\0": (3, "Point Z")}


def normal_points(column: pa.Array) -> tuple[pa.Array, Boxes, str] | None:
    """Bring a column to normal form if it is nothing but points of one kind with finite numbers.

    Args:
        column: Binary array of WKB.

    Returns:
        WKB, boxes and the GeoParquet type name; nothing if some value is anything else.
    """
    present = None if column.null_count == 0 else column.is_valid().to_numpy(zero_copy_only=False)
    points, dimensions, name = _points(column if present is None else column.drop_null())
    if points is None:
        return None
    coordinates = np.ascontiguousarray(points[:, 5:]).view("<f8")
    if not np.isfinite(coordinates).all():
        return None
    if ((coordinates == 0) & np.signbit(coordinates)).any():
        coordinates = coordinates + 0.0
        column = _written(points[0, :5], coordinates, dimensions, present)
    return column, _boxes(coordinates, present), name


def _points(dense: pa.Array) -> tuple[Any, int, str]:
    """The bytes of all points as rows of a matrix, how many numbers each has, and their kind."""
    nothing = (None, 0, "")
    if len(dense) == 0:
        return nothing
    _, offset_buffer, data = dense.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[dense.offset : dense.offset + len(dense) + 1]
    raw = np.frombuffer(data, np.uint8)[int(offsets[0]) : int(offsets[-1])]
    width = int(offsets[1] - offsets[0])
    dimensions, name = _KINDS.get(raw[:5].tobytes(), (0, ""))
    if width != 5 + 8 * dimensions or (np.diff(offsets) != width).any():
        return nothing
    points = raw.reshape(len(dense), width)
    if (points[:, :5] != points[0, :5]).any():
        return nothing
    return points, dimensions, name


def _written(head: Any, coordinates: Any, dimensions: int, present: Any) -> pa.Array:
    width = 5 + 8 * dimensions
    points = np.empty((len(coordinates), width), np.uint8)
    points[:, :5] = head
    points[:, 5:] = coordinates.view(np.uint8).reshape(len(coordinates), -1)
    if present is None:
        present = np.ones(len(coordinates), bool)
    offsets = np.zeros(len(present) + 1, np.int32)
    np.cumsum(present * width, out=offsets[1:])
    mask = pa.py_buffer(np.packbits(present, bitorder="little"))
    buffers = [mask, pa.py_buffer(offsets), pa.py_buffer(points)]
    return pa.Array.from_buffers(pa.binary(), len(present), buffers)


def _boxes(coordinates: Any, present: Any) -> Boxes:
    edges = coordinates[:, (0, 1, 0, 1)]
    if present is None:
        return np.asarray(edges, dtype=np.float64)
    boxes = np.full((len(present), 4), np.nan)
    boxes[present] = edges
    return boxes
