"""Geometry: every kind, from any WKB, in one form; and refused rather than changed."""

import io
import math
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from d4cbuild.normalform import Declaration, DeclarationBroken, NormalTable, normalise, write_table
from d4cbuild.normalform.geometry import canonical_coordinates, normal_shapes

KINDS = [
    "POINT (1 2)",
    "POINT Z (1 2 3)",
    "POINT EMPTY",
    "POINT Z EMPTY",
    "LINESTRING (0 0, 1 1, 2 0)",
    "LINESTRING Z (0 0 1, 1 1 2)",
    "LINESTRING EMPTY",
    "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 1 2, 2 2, 2 1, 1 1))",
    "POLYGON Z ((0 0 1, 1 0 2, 1 1 3, 0 0 1))",
    "POLYGON EMPTY",
    "MULTIPOINT ((0 0), (1 1))",
    "MULTIPOINT Z ((0 0 5), (1 1 6))",
    "MULTIPOINT EMPTY",
    "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
    "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    "MULTIPOLYGON Z (((0 0 1, 1 0 1, 1 1 1, 0 0 1)))",
    "GEOMETRYCOLLECTION (POINT (1 2), POLYGON ((0 0, 1 0, 1 1, 0 0)))",
    "GEOMETRYCOLLECTION (GEOMETRYCOLLECTION (POINT (3 4)), LINESTRING (0 0, 1 1))",
    "GEOMETRYCOLLECTION EMPTY",
]


def wkb(*texts: str | None, **options: Any) -> pa.Array:
    options = {"byte_order": 1, "flavor": "iso"} | options
    shapes = [None if text is None else shapely.from_wkt(text) for text in texts]
    return pa.array([s if s is None else shapely.to_wkb(s, **options) for s in shapes], pa.binary())


def table_of(*shapes: bytes | None) -> pa.Table:
    return pa.table({"id": range(len(shapes)), "shape": pa.array(shapes, pa.binary())})


def normal(table: pa.Table, *sort_by: str, **options: Any) -> NormalTable:
    return normalise(table, declaration(*sort_by, **options))


def declaration(*sort_by: str, **options: Any) -> Declaration:
    shape = {"name": "shape", "type": {"kind": "geometry"}, "nullable": True} | options
    columns = [{"name": "id", "type": {"kind": "int64"}}, shape]
    return Declaration.from_json({"name": "o", "columns": columns, "sort_by": sort_by or ("id",)})


def texts(found: NormalTable) -> list[str | None]:
    assert found.violations == []
    values = found.table["shape"].to_pylist()
    return [None if v is None else shapely.to_wkt(shapely.from_wkb(v), trim=True) for v in values]


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_comes_out_as_iso_little_endian(text: str) -> None:
    iso = wkb(text)
    variants = [
        iso,
        wkb(text, byte_order=0),
        wkb(text, flavor="extended"),
        wkb(text, flavor="extended", byte_order=0),
    ]
    stamped = shapely.set_srid(shapely.from_wkt(text), 4326)
    variants.append(pa.array([shapely.to_wkb(stamped, include_srid=True, byte_order=0)]))
    for variant in variants:
        found = normal(table_of(*variant.to_pylist()))
        assert found.violations == []
        assert found.table["shape"].to_pylist() == iso.to_pylist()


def test_bytes_are_those_of_the_iso_standard() -> None:
    found = normal(table_of(*wkb("POINT Z (1 2 3)", "LINESTRING (0 0, 1 1)", None).to_pylist()))
    assert found.table["shape"].to_pylist() == [
        struct.pack("<BI3d", 1, 1001, 1, 2, 3),
        struct.pack("<BII4d", 1, 2, 2, 0, 0, 1, 1),
        None,
    ]


def test_rings_are_turned_and_keep_their_start() -> None:
    clockwise = "POLYGON ((4 0, 0 0, 0 4, 4 4, 4 0), (1 1, 2 1, 2 2, 1 2, 1 1))"
    nested = f"GEOMETRYCOLLECTION (MULTIPOLYGON (({clockwise[9:-1]})), POINT (9 9))"
    turned = "POLYGON ((4 0, 4 4, 0 4, 0 0, 4 0), (1 1, 1 2, 2 2, 2 1, 1 1))"
    found = texts(normal(table_of(*wkb(clockwise, nested).to_pylist())))
    assert found == [turned, f"GEOMETRYCOLLECTION (MULTIPOLYGON (({turned[9:-1]})), POINT (9 9))"]


def test_z_travels_with_its_corner_when_a_ring_is_turned() -> None:
    found = texts(normal(table_of(*wkb("POLYGON Z ((0 0 1, 1 1 2, 1 0 3, 0 0 1))").to_pylist())))
    assert found == ["POLYGON Z ((0 0 1, 1 0 3, 1 1 2, 0 0 1))"]


def test_negative_zeros_become_positive_in_every_kind() -> None:
    for text in KINDS:
        minus = text.replace("(0 0", "(-0 -0").replace("0 0)", "-0 -0)").replace(" 0,", " -0,")
        given = wkb(minus).to_pylist()
        assert (given != wkb(text).to_pylist()) == (minus != text)
        assert normal(table_of(*given)).table["shape"].to_pylist() == wkb(text).to_pylist(), text


def test_a_negative_zero_height_becomes_positive() -> None:
    shape = struct.pack("<BI3d", 1, 1001, 1, 2, -0.0)
    (found,) = normal(table_of(shape)).table["shape"].to_pylist()
    assert found == struct.pack("<BI3d", 1, 1001, 1, 2, 0.0)


def test_a_missing_height_is_one_nan() -> None:
    odd = b"\x01\0\0\0\0\0\xf8\xff"
    shape = struct.pack("<BI2d", 1, 1001, 1, 2) + odd
    (found,) = normal(table_of(shape)).table["shape"].to_pylist()
    assert found == struct.pack("<BI3d", 1, 1001, 1, 2, math.nan)


@pytest.mark.parametrize("text", KINDS)
def test_canonical_coordinates_walks_every_kind(text: str) -> None:
    (plain,) = wkb(text).to_pylist()
    assert canonical_coordinates(plain) == plain
    with pytest.raises(ValueError, match="left over"):
        canonical_coordinates(plain + b"\0")


@pytest.mark.parametrize(
    "text", ["POINT M (1 2 3)", "POINT ZM (1 2 3 4)", "LINESTRING M (0 0 1, 1 1 2)"]
)
def test_shapes_with_m_are_refused_rather_than_changed(text: str) -> None:
    for flavor in ("iso", "extended"):
        measured = wkb(text, flavor=flavor).to_pylist()
        (violation,) = normal(table_of(*measured, *wkb("POINT (1 2)").to_pylist())).violations
        assert (violation.rule, violation.count) == ("geometry", 1)
        assert "M values" in violation.message
        assert violation.examples == ("row 0",)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x01",
        b"POINT (1 2)",
        struct.pack("<BId", 1, 1, 1.0),
        struct.pack("<BII", 1, 2, 1_000_000_000),
        struct.pack("<BI2d", 1, 99, 1, 2),
        struct.pack("<BII", 1, 8, 0),
    ],
    ids=lambda value: value.hex()[:20],
)
def test_what_is_not_wkb_is_refused_with_its_row(broken: bytes) -> None:
    (violation,) = normal(table_of(*wkb("POINT (1 2)").to_pylist(), None, broken)).violations
    assert (violation.rule, violation.count) == ("geometry", 1)
    assert violation.examples[0].startswith("row 2")


BOW = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"
CURIOUS = [BOW, "POLYGON ((0 0, 1 0, 0 0, 0 0))", "LINESTRING (3 3, 3 3)"]


def test_invalid_shapes_are_refused_with_reason_and_row_by_default() -> None:
    (violation,) = normal(table_of(*wkb("POINT (1 2)", *CURIOUS).to_pylist())).violations
    assert (violation.rule, violation.count) == ("valid", 3)
    assert violation.examples[0] == "row 1: Self-intersection[1 1]"


def test_invalid_shapes_are_repaired_and_counted_where_that_is_declared() -> None:
    found = normal(table_of(*wkb("POINT (1 2)", BOW, BOW).to_pylist()), valid="repair")
    assert found.repaired == 2
    shapes = shapely.from_wkb(found.table["shape"].to_pylist())
    assert shapely.is_valid(shapes).all()
    assert shapely.area(shapes).tolist() == [0, 2, 2]
    assert shapely.is_ccw(shapely.get_exterior_ring(shapely.get_parts(shapes[1]))).all()
    assert found.geometry is not None
    assert found.geometry["columns"]["shape"]["geometry_types"] == ["MultiPolygon", "Point"]


def test_what_repair_would_make_vanish_is_refused() -> None:
    infinite = struct.pack("<BI2d", 1, 1, math.inf, 2)
    flat = wkb("POLYGON ((0 0, 1 0, 0 0, 0 0))", BOW).to_pylist()
    (violation,) = normal(table_of(infinite, *flat), valid="repair").violations
    assert "cannot be repaired" in violation.message
    assert [example.split(":")[0] for example in violation.examples] == ["row 0", "row 1"]


def test_invalid_shapes_stay_as_they_are_where_that_is_declared() -> None:
    clockwise = "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0))"
    found = normal(table_of(*wkb(*CURIOUS, clockwise).to_pylist()), valid="as-is")
    assert found.repaired == 0
    assert texts(found) == [*CURIOUS, "POLYGON ((0 0, 1 0, 1 1, 0 1, 0 0))"]
    assert found.geometry is not None
    assert "orientation" not in found.geometry["columns"]["shape"]
    again = normal(found.table.drop_columns("bbox"), valid="as-is")
    assert again.table.equals(found.table)


def test_infinite_coordinates_have_no_box_where_they_are_kept() -> None:
    shapes = [struct.pack("<BI2d", 1, 1, x, 2.0) for x in (math.inf, math.nan, 1.0)]
    found = normal(table_of(*shapes), "hilbert(shape)", "id", valid="as-is")
    assert [box is None for box in found.table["bbox"].to_pylist()] == [False, True, True]
    assert found.geometry is not None
    assert found.geometry["columns"]["shape"]["bbox"] == [1.0, 2.0, 1.0, 2.0]


def test_only_the_declared_kinds_are_let_through() -> None:
    table = table_of(*wkb("POINT (1 2)", "POINT Z (1 2 3)", "LINESTRING (0 0, 1 1)").to_pylist())
    (violation,) = normal(table, geometry_types=["Point"]).violations
    assert violation.message == "found LineString, declared Point"
    assert normal(table, geometry_types=["Point", "LineString"]).violations == []


def test_ewkb_of_another_crs_is_refused() -> None:
    stamped = shapely.to_wkb(shapely.set_srid(shapely.Point(1, 2), 3347), include_srid=True)
    (violation,) = normal(table_of(stamped)).violations
    assert (violation.rule, violation.examples) == ("crs", ("row 0: EPSG:3347",))
    assert normal(table_of(stamped), crs="EPSG:3347").violations == []


def test_rows_lie_along_the_curve_and_those_without_a_place_come_last() -> None:
    shapes = wkb("POINT (170 -80)", None, "POINT (-179 -89)", "POINT EMPTY", "POINT (-179 89)")
    found = normal(table_of(*shapes.to_pylist()), "hilbert(shape)", "id")
    assert found.table["id"].to_pylist() == [2, 4, 0, 1, 3]


def test_hilbert_takes_the_column_it_names() -> None:
    near, far = wkb("POINT (-179 -89)", "POINT (170 -80)").to_pylist()
    columns = [
        {"name": name, "type": {"kind": "geometry"}, "nullable": True} for name in ("a", "b")
    ]
    wanted = {"name": "o", "columns": columns, "sort_by": ["hilbert(b)"]}
    found = normalise(pa.table({"a": [near, far], "b": [far, near]}), Declaration.from_json(wanted))
    assert found.table["b"].to_pylist() == [near, far]


def test_a_column_named_like_the_covering_is_refused() -> None:
    columns = [
        {"name": "shape", "type": {"kind": "geometry"}, "nullable": True},
        {"name": "bbox", "type": {"kind": "string"}, "nullable": True},
    ]
    wanted = Declaration.from_json({"name": "o", "columns": columns, "sort_by": ["bbox"]})
    (violation,) = normalise(
        pa.table({"shape": wkb("POINT (1 2)"), "bbox": ["x"]}), wanted
    ).violations
    assert (violation.column, violation.rule) == ("bbox", "columns")
    assert "choose another" in violation.message


def test_a_column_named_bbox_is_fine_without_geometry() -> None:
    table = pa.table({"bbox": ["x"]})
    assert normalise(table, Declaration.of_schema(table.schema, ("bbox",))).violations == []


def test_boxes_let_readers_skip_row_groups_and_pages() -> None:
    rows = 300_000
    x, y = np.random.default_rng(1).uniform([[-140], [42]], [[-52], [70]], (2, rows))
    table = pa.table({"id": range(rows), "shape": shapely.to_wkb(shapely.points(x, y))})
    out = io.BytesIO()
    write_table(table, out, declaration("hilbert(shape)", "id"))
    found = pq.ParquetFile(out)
    inside = 0
    for group in range(found.metadata.num_row_groups):
        columns = found.metadata.row_group(group)
        edges = {
            columns.column(i).path_in_schema: columns.column(i).statistics
            for i in range(columns.num_columns)
        }
        inside += edges["bbox.xmin"].min <= -140 + 2 and edges["bbox.ymin"].min <= 42 + 2
    assert found.metadata.num_row_groups == 3
    assert inside == 1


@pytest.mark.parametrize("rows", [0, 3])
def test_columns_without_any_shape_are_written(rows: int) -> None:
    table = table_of(*[None] * rows)
    out = io.BytesIO()
    result = write_table(table, out, declaration())
    assert result.geometry is not None
    assert result.geometry["columns"]["shape"]["geometry_types"] == []
    assert "bbox" not in result.geometry["columns"]["shape"]
    assert pq.ParquetFile(out).read()["bbox"].null_count == rows


def test_shapes_come_out_the_same_in_pieces() -> None:
    column = wkb(*KINDS, None)
    whole, troubles = normal_shapes(column, "require", 4326)
    assert troubles == []
    assert whole is not None
    for row in range(len(column)):
        part, _ = normal_shapes(column.slice(row, 1), "require", 4326)
        assert part is not None
        assert part.wkb.equals(whole.wkb.slice(row, 1))
        np.testing.assert_array_equal(part.bounds, whole.bounds[row : row + 1])


def test_several_threads_say_the_same() -> None:
    table = table_of(*wkb(*KINDS, None, BOW).to_pylist() * 400)
    for valid in ("require", "repair", "as-is"):
        found = []
        for workers in (1, 3):
            out = io.BytesIO()
            try:
                write_table(table, out, declaration(valid=valid), workers)
                found.append(out.getvalue())
            except DeclarationBroken as broken:
                found.append(broken.violations)
        assert found[0] == found[1]
