"""Shapes: columns that hold coordinates, and what the shapes of a table are like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.looking.notes import Note, NotReadable
from d4cbuild.normalform.geometry import normal_shapes
from d4cbuild.normalform.place import hilbert_index

GEOMETRY = "geometry"
_Y = re.compile(r"(^|_)(lat|latitude|y|ycoord|y_coord)(_|$)")
_X = re.compile(r"(^|_)(lon|long|lng|longitude|x|xcoord|x_coord)(_|$)")
_DECIMAL = re.compile(r"decimal|degree|deg|dd")
_WKT = re.compile(r"^(SRID=\d+;)?(POINT|LINESTRING|POLYGON|MULTI\w+|GEOMETRYCOLLECTION) ?Z? ?\(")
# Canada with its waters, in degrees: xmin, ymin, xmax, ymax.
_CANADA = (-145.0, 38.0, -45.0, 90.0)
_DEGREES = ("OGC:CRS84", "EPSG:4617")


def geometry_step(table: pa.Table) -> tuple[dict[str, Any] | None, list[Note]]:
    """A step that makes shapes of columns, where some hold coordinates or WKT.

    Args:
        table: With types, and with the names it is to have.
    """
    for name in table.column_names:
        if pa.types.is_string(table.schema.field(name).type) and _is_wkt(table.column(name)):
            text = f"shapes of the WKT in {name}; its coordinates are taken as longitude, latitude"
            note = Note(GEOMETRY, text, 85, 'crs = "EPSG:…" in the geometry step')
            return {"step": "geometry", "wkt": name, "crs": "EPSG:4326"}, [note]
    pair = _pair(table)
    if pair is None:
        return None, []
    x, y = pair
    if bool(pc.any(pc.xor(table.column(x).is_null(), table.column(y).is_null())).as_py()):
        text = f"no points are made of {x} and {y}: some rows have only one of them"
        return None, [Note(GEOMETRY, text, None, f'a geometry step with x = "{x}", y = "{y}"')]
    text = f"points made of {x} and {y}, taken as WGS 84"
    note = Note(GEOMETRY, text, 85, 'crs = "EPSG:4617" or another in the geometry step')
    return {"step": "geometry", "x": x, "y": y, "crs": "EPSG:4326"}, [note]


def may_be_coordinate(name: str) -> bool:
    """Whether a column's name says that it holds a longitude or latitude."""
    return bool(_X.search(name) or _Y.search(name))


def _is_wkt(column: pa.ChunkedArray) -> bool:
    texts = column.drop_null()
    if len(texts) == 0 or not _WKT.match(texts[0].as_py()):
        return False
    import shapely

    try:
        bounds = shapely.total_bounds(shapely.from_wkt(texts.to_pylist()))
    except shapely.errors.GEOSException:
        return False
    return bool(np.all(np.abs(bounds) <= (180, 90, 180, 90)))


def _pair(table: pa.Table) -> tuple[str, str] | None:
    """The columns of longitude and latitude, in decimal degrees."""
    found: list[str | None] = []
    for pattern, most in ((_X, 180.0), (_Y, 90.0)):
        fitting = [
            name
            for name in table.column_names
            if pattern.search(name) and _within(table.column(name), most)
        ]
        decimal = [name for name in fitting if _DECIMAL.search(name)]
        found.append(next(iter(decimal or fitting), None))
    x, y = found
    return (x, y) if x is not None and y is not None else None


def _within(column: pa.ChunkedArray, most: float) -> bool:
    if not pa.types.is_floating(column.type):
        return False
    bounds = pc.min_max(column).as_py()
    if not bool(pc.any(pc.not_equal(pc.floor(column), column)).as_py()):
        return False  # whole numbers are no places
    return bounds["min"] is not None and -most <= bounds["min"] <= bounds["max"] <= most


@dataclass(frozen=True)
class ShapeFacts:
    """What the shapes of a table are like in the normal form.

    Attributes:
        facts: Their CRS, kinds, how many are invalid or missing, heights, bounds.
        places: A number for the place of each, in the order of the normal form.
        notes: What could be wrong with them.
    """

    facts: dict[str, Any]
    places: np.ndarray[Any, np.dtype[np.int64]]
    notes: tuple[Note, ...]


def facts_of_shapes(column: pa.ChunkedArray, crs: str) -> ShapeFacts:
    """Bring shapes to normal form, and say what they are like then.

    Args:
        column: WKB.
        crs: The CRS they are declared to have.

    Raises:
        NotReadable: if they have no normal form.
    """
    shapes, troubles = normal_shapes(pa.concat_arrays(column.chunks), "repair", 0)
    if shapes is None:
        raise NotReadable("; ".join(trouble.message for trouble in troubles))
    boxes = shapes.bounds[~np.isnan(shapes.bounds).any(axis=1)]
    edges = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)] if len(boxes) else []
    bounds = [float(edges[place]) for place in (0, 2, 1, 3)] if edges else []
    facts = {
        "crs": crs,
        "types": sorted({name.removesuffix(" Z") for name in shapes.types}),
        "invalid": shapes.repaired,
        "missing": column.null_count,
        "has_z": any(name.endswith(" Z") for name in shapes.types),
        "bounds": bounds,
    }
    codes = hilbert_index(shapes.bounds, crs).dictionary_encode(null_encoding="encode").indices
    places = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    return ShapeFacts(facts, places, tuple(_shape_notes(facts, boxes)))


def _shape_notes(facts: dict[str, Any], boxes: Any) -> Iterator[Note]:
    if facts["invalid"]:
        text = f"{facts['invalid']} shapes are invalid; they are repaired"
        yield Note(GEOMETRY, text, 90, 'valid = "as-is" keeps them as they are')
    if facts["crs"] in _DEGREES and (lost := _outside(boxes)):
        edges = ", ".join(f"{edge:.4f}" for edge in facts["bounds"])
        text = f"{lost} of {len(boxes)} shapes lie outside Canada; all lie within {edges}"
        text += " (x from, x to, y from, y to)"
        write = (
            "swap = true or another crs in a geometry step; or leave out such rows in a sql step"
        )
        yield Note(GEOMETRY, text, None, write)


def _outside(boxes: Any) -> int:
    x_from, y_from, x_to, y_to = boxes.T
    west, south, east, north = _CANADA
    return int(((x_to < west) | (x_from > east) | (y_to < south) | (y_from > north)).sum())
