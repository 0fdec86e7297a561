"""Shapes: made from coordinates or text, projected, mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .casting import cast
from .refusal import refuse, some
from .shapes import UNKNOWN, marked, same_crs, shape_columns


def change_geometry(
    table: pa.Table,
    *,
    column: str = "geometry",
    x: str | None = None,
    y: str | None = None,
    wkt: str | None = None,
    crs: str | None = None,
    swap: bool = False,
    to_crs: str | None = None,
    pipeline: str | None = None,
    decimals: int | None = None,
    make_valid: bool = False,
    multi: bool = False,
    drop_z: bool = False,
) -> pa.Table:
    """Make shapes, or change those there are; what is named is done in the order of the arguments.

    Args:
        table: The table.
        column: The column of shapes.
        x: With ``y``: columns to make points of, easting or longitude first. They are used up.
            Where both are null there is no point.
        y: See ``x``.
        wkt: A column of text to make shapes of. It is used up.
        crs: The CRS of the coordinates, ``authority:code``: needed where shapes are made, or where
            the file does not say it. It projects nothing.
        swap: Exchange x and y.
        to_crs: The CRS to project to.
        pipeline: How PROJ shall project, instead of what it finds best without grids.
        decimals: Digits to round coordinates to.
        make_valid: Mend invalid shapes; parts of fewer dimensions are left out.
        multi: Make single shapes multiple ones, so that all are of one kind.
        drop_z: Leave out heights and measures.
    """
    import shapely

    shapes = shape_columns(table)
    found, table = _given(table, column, x, y, wkt)
    known = crs or shapes.get(column, UNKNOWN)
    if crs is not None and shapes.get(column, UNKNOWN) not in (UNKNOWN, crs) and to_crs is None:
        print(f"{column}: the file says {shapes[column][:60]}; taken as {crs}")
    if swap:
        found = _moved(found, lambda x, y: (y, x))
    if drop_z:
        found = shapely.force_2d(found)
    if to_crs is not None and not same_crs(known, to_crs):
        found = _projected(found, known, to_crs, pipeline)
    if decimals is not None:
        found = shapely.transform(found, lambda all: np.round(all, decimals), include_z=None)
    if make_valid:
        found = _valid(found, column)
    if multi:
        found = _multiple(found)
    return marked(_with(table, column, found), {**shapes, column: to_crs or known})


def _given(
    table: pa.Table, column: str, x: str | None, y: str | None, wkt: str | None
) -> tuple[Any, pa.Table]:
    """The shapes to begin with, and the table without what was used up."""
    import shapely

    used = [name for name in (x, y, wkt) if name is not None]
    if absent := [name for name in used or [column] if name not in table.column_names]:
        refuse("the table lacks a column that shapes are made of",
               expected=f"of {some(table.column_names)}", found=some(absent))  # fmt: skip
    rest = table.drop_columns(used)
    if wkt is not None:
        texts = table.column(wkt).to_pylist()
        try:
            return shapely.from_wkt(texts), rest
        except shapely.errors.GEOSException as error:
            refuse(f"column {wkt!r} is not all WKT", found=str(error))
    if x is not None and y is not None:
        return _points(table, x, y), rest
    if x is not None or y is not None:
        refuse("points need both x and y")
    return shapely.from_wkb(table.column(column).to_pylist()), table


def _points(table: pa.Table, x: str, y: str) -> Any:
    import shapely

    eastings, northings = (
        cast(table.column(name), name, "float64").to_numpy(zero_copy_only=False) for name in (x, y)
    )
    half = np.isnan(eastings) != np.isnan(northings)
    if half.any():
        rows = (np.flatnonzero(half) + 1).tolist()
        refuse(f"rows have {x!r} without {y!r}, or the reverse", found=f"rows {some(rows)}")
    points = shapely.points(eastings, northings)
    points[np.isnan(eastings)] = None
    return points


def _with(table: pa.Table, column: str, shapes: Any) -> pa.Table:
    import shapely

    binary = shapely.to_wkb(shapes, byte_order=1, flavor="iso", output_dimension=4)
    array = pa.array(binary, pa.binary())
    if column not in table.column_names:
        return table.append_column(column, array)
    return table.set_column(table.column_names.index(column), column, array)


def _moved(shapes: Any, move: Callable[[Any, Any], tuple[Any, Any]]) -> Any:
    """Shapes with other x and y; heights and measures stay."""
    import shapely

    def change(coordinates: Any) -> Any:
        moved = coordinates.copy()
        moved[:, 0], moved[:, 1] = move(coordinates[:, 0].copy(), coordinates[:, 1].copy())
        return moved

    return shapely.transform(shapes, change, include_z=None)


def _projected(shapes: Any, known: str, to_crs: str, pipeline: str | None) -> Any:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError
    from pyproj.transformer import TransformerGroup

    if known == UNKNOWN and pipeline is None:
        refuse("the CRS of the shapes is not known", hint='crs = "EPSG:…"')
    try:
        # One operation for all shapes, where PROJ would choose anew for each by its place.
        transformer = (
            Transformer.from_pipeline(pipeline)
            if pipeline is not None
            else TransformerGroup(known, to_crs, always_xy=True).transformers[0]
        )
        print(f"projected by: {transformer.definition} (accuracy {transformer.accuracy} m)")
        return _moved(shapes, lambda x, y: transformer.transform(x, y, errcheck=True))
    except ProjError as error:
        refuse(f"shapes cannot be projected from {known[:80]} to {to_crs}", found=str(error))


def _valid(shapes: Any, column: str) -> Any:
    import shapely

    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    print(f"{column}: {int(broken.sum())} invalid shapes mended")
    mended = shapes.copy()
    mended[broken] = [_mended(shape) for shape in shapes[broken]]
    return mended


def _mended(shape: Any) -> Any:
    import shapely

    whole = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    most = shapely.get_dimensions(shape)
    parts = [part for part in shapely.get_parts(whole) if shapely.get_dimensions(part) == most]
    return whole if len(parts) == shapely.get_num_geometries(whole) else _collected(parts, most)


def _collected(parts: Sequence[Any], dimensions: int) -> Any:
    import shapely

    makers = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
    return makers[dimensions](parts)


def _multiple(shapes: Any) -> Any:
    import shapely

    single = np.isin(shapely.get_type_id(shapes), (0, 1, 3))
    many = shapes.copy()
    many[single] = [
        _collected([shape], int(shapely.get_dimensions(shape))) for shape in shapes[single]
    ]
    return many
