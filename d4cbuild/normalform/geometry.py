"""Geometry in normal form: ISO WKB, one winding, a covering box, GeoParquet 1.1 metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

COVERING_NAME = "bbox"
COVERING_FIELDS = ("xmin", "ymin", "xmax", "ymax")
COVERING_TYPE = pa.struct(
    [pa.field(name, pa.float32(), nullable=False) for name in COVERING_FIELDS]
)
HILBERT_BITS = 31

_HERE = Path(__file__).parent

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


@dataclass(frozen=True)
class Shapes:
    """The normal form of a geometry column.

    Attributes:
        wkb: Binary array.
        bounds: (n, 4) float64: xmin, ymin, xmax, ymax; NaN where null or empty.
        types: GeoParquet type names that occur, sorted.
        invalid: Row numbers of invalid shapes as they came.
        reasons: Why each of the first few of them is invalid.
        repaired: How many shapes were repaired.
    """

    wkb: pa.Array
    bounds: np.ndarray[Any, np.dtype[np.float64]]
    types: tuple[str, ...]
    invalid: tuple[int, ...]
    reasons: tuple[str, ...]
    repaired: int


def normal_shapes(column: pa.Array, valid: str) -> Shapes:
    """Bring a WKB column to normal form.

    Args:
        column: Binary array of WKB in any flavour and byte order.
        valid: ``require`` and ``as-is`` leave invalid shapes as they are (the caller decides),
            ``repair`` mends them.

    Raises:
        ValueError: if some value is not WKB.
    """
    import shapely

    try:
        shapes = shapely.from_wkb(np.asarray(column.to_numpy(zero_copy_only=False), dtype=object))
    except shapely.errors.ShapelyError as error:
        raise ValueError(str(error)) from error
    present = ~shapely.is_missing(shapes)
    bad = present & ~shapely.is_valid(shapes)
    invalid = np.flatnonzero(bad)
    reasons = shapely.is_valid_reason(shapes[invalid[:5]])
    repaired = 0
    if valid == "repair" and len(invalid):
        shapes = shapes.copy()
        shapes[bad] = shapely.make_valid(shapes[bad], method="structure", keep_collapsed=False)
        repaired = len(invalid)
    shapes = shapely.orient_polygons(shapes, exterior_cw=False)
    shapes = _positive_zeros(shapes)
    encoded = shapely.to_wkb(shapes, byte_order=1, flavor="iso", output_dimension=4)
    return Shapes(
        wkb=pa.array(encoded, pa.binary(), from_pandas=True),
        bounds=np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(len(shapes), 4),
        types=_type_names(shapes[present]),
        invalid=tuple(int(row) for row in invalid),
        reasons=tuple(str(reason) for reason in reasons),
        repaired=repaired,
    )


def _positive_zeros(shapes: Any) -> Any:
    import shapely

    coordinates = shapely.get_coordinates(shapes, include_z=False)
    if not np.any((coordinates == 0) & np.signbit(coordinates)):
        return shapes
    has_z = bool(np.any(shapely.has_z(shapes)))
    return shapely.transform(shapes, lambda points: points + 0.0, include_z=has_z)


def _type_names(shapes: Any) -> tuple[str, ...]:
    import shapely

    if len(shapes) == 0:
        return ()
    names = (
        "Point",
        "LineString",
        "LineString",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
    )
    ids, deep = shapely.get_type_id(shapes), shapely.has_z(shapes)
    pairs = {(int(kind), bool(z)) for kind, z in zip(ids, deep, strict=True)}
    return tuple(sorted({names[kind] + (" Z" if z else "") for kind, z in pairs}))


def covering(bounds: np.ndarray[Any, np.dtype[np.float64]]) -> pa.Array:
    """Make the covering column: each shape's box in float32, rounded outward.

    Args:
        bounds: (n, 4) float64.

    Returns:
        A struct array; null where a shape is null or empty.
    """
    with np.errstate(over="ignore"):
        narrow = bounds.astype(np.float32)
    low = narrow[:, :2].astype(np.float64) > bounds[:, :2]
    high = narrow[:, 2:].astype(np.float64) < bounds[:, 2:]
    narrow[:, :2][low] = np.nextafter(narrow[:, :2][low], np.float32(-np.inf))
    narrow[:, 2:][high] = np.nextafter(narrow[:, 2:][high], np.float32(np.inf))
    missing = np.isnan(bounds).any(axis=1)
    # Adding +0.0 keeps -0.0, which has another bit pattern, out of the file.
    narrow = np.where(missing[:, None], np.float32(0), narrow) + np.float32(0)
    children = [pa.array(np.ascontiguousarray(narrow[:, i])) for i in range(4)]
    mask = pa.array(missing) if missing.any() else None
    return pa.StructArray.from_arrays(children, fields=list(COVERING_TYPE), mask=mask)


def hilbert_index(bounds: np.ndarray[Any, np.dtype[np.float64]], crs: str) -> pa.Array:
    """Place each shape's centre on a Hilbert curve over the CRS's fixed extent.

    Args:
        bounds: (n, 4) float64 boxes.
        crs: A CRS of :data:`EXTENTS`.

    Returns:
        uint64 array: the distance along a curve of order 31; null where a shape is null or empty.
    """
    xmin, ymin, xmax, ymax = EXTENTS[crs]
    side = float(1 << HILBERT_BITS)
    missing = np.isnan(bounds).any(axis=1)
    safe = np.where(missing[:, None], 0.0, bounds)
    x = ((safe[:, 0] + safe[:, 2]) * 0.5 - xmin) / (xmax - xmin) * side
    y = ((safe[:, 1] + safe[:, 3]) * 0.5 - ymin) / (ymax - ymin) * side
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


def geo_metadata(name: str, crs: str, types: tuple[str, ...], bounds: Any) -> dict[str, Any]:
    """The GeoParquet 1.1 ``geo`` record of a file with one geometry column.

    Args:
        name: The geometry column.
        crs: A CRS of :data:`EXTENTS`.
        types: Geometry types that occur.
        bounds: (n, 4) float64 boxes of all shapes.
    """
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": list(types),
        "crs": projjson(crs),
        "edges": "planar",
        "orientation": "counterclockwise",
        "covering": {"bbox": {edge: [COVERING_NAME, edge] for edge in COVERING_FIELDS}},
    }
    if len(bounds) and not np.isnan(bounds).all():
        box = [*np.nanmin(bounds[:, :2], axis=0), *np.nanmax(bounds[:, 2:], axis=0)]
        column["bbox"] = [float(edge) + 0.0 for edge in box]
    return {"version": "1.1.0", "primary_column": name, "columns": {name: column}}


def projjson(crs: str) -> dict[str, Any]:
    """The fixed PROJJSON of a CRS, so that PROJ's version is not in the file."""
    path = _HERE / "crs" / f"{crs.replace(':', '-').lower()}.json"
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def canonical_json(value: Any) -> bytes:
    """JSON by RFC 8785, for the values that occur in ``geo`` metadata."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return (
            b"{" + b",".join(canonical_json(k) + b":" + canonical_json(v) for k, v in items) + b"}"
        )
    if isinstance(value, list | tuple):
        return b"[" + b",".join(canonical_json(inner) for inner in value) + b"]"
    if isinstance(value, float):
        return _number(value)
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _number(value: float) -> bytes:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} is not JSON")
    if value == int(value) and abs(value) < 1e21:
        return str(int(value)).encode()
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa.encode()
    power = int(exponent)
    if -7 <= power < 0:
        digits = mantissa.lstrip("-").replace(".", "")
        sign = "-" if value < 0 else ""
        return f"{sign}0.{'0' * (-power - 1)}{digits}".encode()
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}".encode()
