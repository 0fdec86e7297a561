"""Where shapes lie: covering boxes and places on the Hilbert curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Boxes = np.ndarray[Any, np.dtype[np.float64]]
"""(n, 4) float64: xmin, ymin, xmax, ymax; NaN where a shape has no box."""

COVERING_NAME = "bbox"
COVERING_FIELDS = ("xmin", "ymin", "xmax", "ymax")
COVERING_TYPE = pa.struct(
    [pa.field(name, pa.float32(), nullable=False) for name in COVERING_FIELDS]
)
HILBERT_BITS = 31

# The extent that the Hilbert index divides, by CRS, in its units: xmin, ymin, xmax, ymax. Fixed,
# so that an index does not depend on the other rows.
_DEGREES = (-180.0, -90.0, 180.0, 90.0)
_METRES = (-20_000_000.0, -20_000_000.0, 20_000_000.0, 20_000_000.0)
EXTENTS = {
    "OGC:CRS84": _DEGREES,
    "EPSG:4326": _DEGREES,
    "EPSG:4617": _DEGREES,
    "EPSG:3347": _METRES,
    "EPSG:3979": _METRES,
}


def finite_boxes(bounds: Boxes) -> Boxes:
    """Return boxes of which any edge is infinite or NaN as all NaN: such a shape has no place."""
    lost: Any = ~np.isfinite(bounds).all(axis=1)
    if lost.any():
        bounds = bounds.copy()
        bounds[lost] = np.nan
    return bounds


def covering(bounds: Boxes) -> pa.Array:
    """Make the covering column: each shape's box in float32, rounded outward.

    Returns:
        A struct array; null where a shape has no box.
    """
    with np.errstate(over="ignore"):
        narrow = bounds.astype(np.float32)
    low = narrow[:, :2].astype(np.float64) > bounds[:, :2]
    high = narrow[:, 2:].astype(np.float64) < bounds[:, 2:]
    narrow[:, :2][low] = np.nextafter(narrow[:, :2][low], np.float32(-np.inf))
    narrow[:, 2:][high] = np.nextafter(narrow[:, 2:][high], np.float32(np.inf))
    missing: Any = np.isnan(bounds).any(axis=1)
    # Adding +0.0 keeps -0.0, which has another bit pattern, out of the file.
    narrow = np.where(missing[:, None], np.float32(0), narrow) + np.float32(0)
    children = [pa.array(np.ascontiguousarray(narrow[:, i])) for i in range(4)]
    mask = pa.array(missing) if missing.any() else None
    return pa.StructArray.from_arrays(children, fields=list(COVERING_TYPE), mask=mask)


def hilbert_index(bounds: Boxes, crs: str) -> pa.Array:
    """Place each shape's centre on a Hilbert curve over the CRS's fixed extent.

    Args:
        bounds: Boxes.
        crs: A CRS of :data:`EXTENTS`.

    Returns:
        uint64 array: the distance along a curve of order 31; null where a shape has no box.
    """
    xmin, ymin, xmax, ymax = EXTENTS[crs]
    side = float(1 << HILBERT_BITS)
    missing: Any = np.isnan(bounds).any(axis=1)
    safe = np.where(missing[:, None], 0.0, bounds)
    # Halved before they are added, so that two huge numbers do not become infinite. What then
    # overflows lies outside the extent, and is placed at its edge like the rest out there.
    with np.errstate(over="ignore"):
        x = (safe[:, 0] * 0.5 + safe[:, 2] * 0.5 - xmin) / (xmax - xmin) * side
        y = (safe[:, 1] * 0.5 + safe[:, 3] * 0.5 - ymin) / (ymax - ymin) * side
    distance = _hilbert(_cell(x, side), _cell(y, side))
    return pa.array(distance, pa.uint64(), mask=missing)


def _cell(value: Any, side: float) -> np.ndarray[Any, np.dtype[np.uint64]]:
    cells: np.ndarray[Any, np.dtype[np.uint64]] = np.clip(np.floor(value), 0.0, side - 1.0).astype(
        np.uint64
    )
    return cells


def _hilbert(x: Any, y: Any) -> Any:
    one, three = np.uint64(1), np.uint64(3)
    side = np.uint64((1 << HILBERT_BITS) - 1)
    distance = np.zeros(len(x), np.uint64)
    for bit in range(HILBERT_BITS - 1, -1, -1):
        step = np.uint64(bit)
        rx, ry = (x >> step) & one, (y >> step) & one
        distance += ((three * rx) ^ ry) << np.uint64(2 * bit)
        flip = (ry == 0) & (rx == 1)
        x, y = np.where(flip, side - x, x), np.where(flip, side - y, y)
        swap = ry == 0
        x, y = np.where(swap, y, x), np.where(swap, x, y)
    return distance
