"""Geometry in normal form: ISO WKB, little-endian, one winding, one bit pattern per number."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.place import Boxes, finite_boxes
from d4cbuild.normalform.points import normal_points

LEAST_SHARE = 2048
"""Rows below which a thread of their own does not pay."""

_TYPE_NAMES = (
    "Point",
    "LineString",
    "LineString",  # a ring by itself, which WKB does not have
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
_POINT, _LINE, _POLYGON = 1, 2, 3


@dataclass(frozen=True)
class Trouble:
    """Shapes that break one rule.

    Attributes:
        rule: The declaration's word for it.
        message: What is wrong.
        rows: Where.
        reasons: Why each of the first few is wrong; may be empty.
    """

    rule: str
    message: str
    rows: tuple[int, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shapes:
    """The normal form of rows of a geometry column.

    Attributes:
        wkb: Binary array.
        bounds: Boxes; NaN where a shape is null, empty or not finite.
        types: GeoParquet type names that occur.
        invalid: How many invalid shapes are left as they came.
        repaired: How many shapes were repaired.
    """

    wkb: pa.Array
    bounds: Boxes
    types: frozenset[str]
    invalid: int
    repaired: int


def normal_shapes(column: pa.Array, valid: str, srid: int) -> tuple[Shapes | None, list[Trouble]]:
    """Bring WKB to normal form.

    Args:
        column: Binary array of WKB in any flavour and byte order.
        valid: ``require``: invalid shapes are trouble; ``repair``: they are mended; ``as-is``:
            they stay as they are.
        srid: The number of the declared CRS, for EWKB that names one.

    Returns:
        The shapes, unless some cannot be read or kept; and what is wrong with them.
    """
    import shapely

    if (points := normal_points(column)) is not None:
        wkb, boxes, name = points
        return Shapes(wkb, boxes, frozenset({name}), invalid=0, repaired=0), []
    shapes, unreadable = _read(column)
    if unreadable:
        return None, [unreadable]
    present = ~shapely.is_missing(shapes)
    troubles = [*_measured(shapes), *_elsewhere(shapes, srid)]
    bad = present & ~shapely.is_valid(shapes)
    repaired = 0
    if bad.any() and valid == "require":
        troubles.append(_invalid(shapes, bad, "shapes are invalid"))
    if bad.any() and valid == "repair":
        shapes, bad, repaired = _repair(shapes, bad)
        if bad.any():
            troubles.append(_invalid(shapes, bad, "shapes are invalid and cannot be repaired"))
    if troubles:
        return None, troubles
    return _normal(shapes, present, bad, repaired), []


def _normal(shapes: Any, present: Any, bad: Any, repaired: int) -> Shapes:
    import shapely

    turnable = present & ~bad
    shapes = shapes.copy()
    shapes[turnable] = shapely.orient_polygons(shapes[turnable], exterior_cw=False)
    bounds = np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(len(shapes), 4)
    return Shapes(
        wkb=_written(shapes),
        bounds=finite_boxes(bounds),
        types=_type_names(shapes[present]),
        invalid=int(bad.sum()),
        repaired=repaired,
    )


def normal_shapes_at_once(
    column: pa.Array, valid: str, srid: int, workers: int
) -> tuple[Shapes | None, list[Trouble]]:
    """As :func:`normal_shapes`, several threads sharing the rows."""
    share = max(LEAST_SHARE, -(-len(column) // workers))
    starts = range(0, max(len(column), 1), share)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        parts = list(
            pool.map(lambda start: normal_shapes(column.slice(start, share), valid, srid), starts)
        )
    troubles = [
        replace(trouble, rows=tuple(start + row for row in trouble.rows))
        for start, (_, found) in zip(starts, parts, strict=True)
        for trouble in found
    ]
    shapes = [part for part, _ in parts if part is not None]
    if len(shapes) < len(parts):
        return None, troubles
    whole = Shapes(
        wkb=pa.concat_arrays([part.wkb for part in shapes]),
        bounds=np.concatenate([part.bounds for part in shapes]),
        types=frozenset[str]().union(*(part.types for part in shapes)),
        invalid=sum(part.invalid for part in shapes),
        repaired=sum(part.repaired for part in shapes),
    )
    return whole, troubles


def _read(column: pa.Array) -> tuple[Any, Trouble | None]:
    import shapely

    values = np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
    try:
        shapes = shapely.from_wkb(values, on_invalid="ignore")
    except NotImplementedError:
        shapes = np.array([_read_one(value) for value in values], dtype=object)
    given = column.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(given & shapely.is_missing(shapes))
    if not len(rows):
        return shapes, None
    reasons = tuple(_reason(values[row]) for row in rows[:5])
    return shapes, Trouble("geometry", "not readable as WKB", _numbers(rows), reasons)


def _read_one(value: bytes | None) -> Any:
    import shapely

    try:
        return None if value is None else shapely.from_wkb(value, on_invalid="ignore")
    except NotImplementedError:
        return None


def _reason(value: bytes) -> str:
    import shapely

    try:
        shapely.from_wkb(value)
    except (shapely.errors.ShapelyError, NotImplementedError) as error:
        return str(error)
    return "unreadable"


def _measured(shapes: Any) -> list[Trouble]:
    import shapely

    rows = np.flatnonzero(shapely.has_m(shapes))
    if not len(rows):
        return []
    message = "shapes have M values, for which GeoParquet 1.1 has no place"
    return [Trouble("geometry", message, _numbers(rows))]


def _elsewhere(shapes: Any, srid: int) -> list[Trouble]:
    import shapely

    found = shapely.get_srid(shapes)
    rows = np.flatnonzero((found > 0) & (found != srid))
    if not len(rows):
        return []
    reasons = tuple(f"EPSG:{found[row]}" for row in rows[:5])
    message = f"shapes name another CRS than the one declared, EPSG:{srid}"
    return [Trouble("crs", message, _numbers(rows), reasons)]


def _invalid(shapes: Any, bad: Any, message: str) -> Trouble:
    import shapely

    rows = np.flatnonzero(bad)
    reasons = tuple(str(reason) for reason in shapely.is_valid_reason(shapes[rows[:5]]))
    return Trouble("valid", message, _numbers(rows), reasons)


def _repair(shapes: Any, bad: Any) -> tuple[Any, Any, int]:
    import shapely

    shapes = shapes.copy()
    mended = np.array([_mend(shape) for shape in shapes[bad]], dtype=object)
    shapes[bad] = mended
    left = bad.copy()
    left[bad] = ~shapely.is_valid(mended)
    return shapes, left, int(bad.sum() - left.sum())


def _mend(shape: Any) -> Any:
    """Repair one shape; what cannot be repaired, or would vanish, comes back as it was."""
    import shapely

    try:
        mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    except shapely.errors.ShapelyError:
        return shape
    return shape if shapely.is_empty(mended) else mended


def _numbers(rows: Any) -> tuple[int, ...]:
    return tuple(int(row) for row in rows)


def _type_names(shapes: Any) -> frozenset[str]:
    import shapely

    ids, deep = shapely.get_type_id(shapes), shapely.has_z(shapes)
    codes = np.unique(ids.astype(np.int64) * 2 + deep)
    return frozenset(_TYPE_NAMES[code // 2] + (" Z" if code % 2 else "") for code in codes)


def _written(shapes: Any) -> pa.Array:
    import shapely

    encoded = shapely.to_wkb(shapes, byte_order=1, flavor="iso", output_dimension=4)
    for row in _with_odd_numbers(shapes):
        encoded[row] = canonical_coordinates(encoded[row])
    return pa.array(encoded, pa.binary(), from_pandas=True)


def _with_odd_numbers(shapes: Any) -> Any:
    """Find the rows of shapes with -0.0 or NaN; the few others found besides do no harm."""
    import shapely

    deep = bool(shapely.has_z(shapes).any())
    coordinates, rows = shapely.get_coordinates(shapes, include_z=deep, return_index=True)
    odd = ((coordinates == 0) & np.signbit(coordinates)) | np.isnan(coordinates)
    return np.unique(rows[odd.any(axis=1)])


def canonical_coordinates(wkb: bytes) -> bytes:
    """Make every ``-0.0`` a ``0.0`` and every NaN the one quiet NaN.

    Args:
        wkb: One shape, ISO, little-endian.
    """
    out = bytearray(wkb)
    end = _canonical_shape(out, 0)
    if end != len(out):
        raise ValueError("bytes are left over after a shape")
    return bytes(out)


def _canonical_shape(out: bytearray, at: int) -> int:
    (code,) = struct.unpack_from("<I", out, at + 1)
    kind, dimensions = code % 1000, (2, 3, 3, 4)[code // 1000]
    at += 5
    if kind == _POINT:
        return _canonical_run(out, at, dimensions)
    (count,) = struct.unpack_from("<I", out, at)
    at += 4
    if kind == _LINE:
        return _canonical_run(out, at, count * dimensions)
    for _ in range(count):
        if kind == _POLYGON:
            (points,) = struct.unpack_from("<I", out, at)
            at = _canonical_run(out, at + 4, points * dimensions)
        else:
            at = _canonical_shape(out, at)
    return at


def _canonical_run(out: bytearray, at: int, numbers: int) -> int:
    values = np.frombuffer(out, "<f8", numbers, at)
    fixed = values + 0.0
    fixed[np.isnan(fixed)] = np.nan
    out[at : at + 8 * numbers] = fixed.tobytes()
    return at + 8 * numbers
