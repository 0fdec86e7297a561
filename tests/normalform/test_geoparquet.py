"""The ``geo`` record: valid GeoParquet 1.1, in canonical JSON."""

import io
import json
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rfc8785
import shapely
from hypothesis import given
from hypothesis import strategies as st

from d4cbuild.normalform import Declaration, write_table
from d4cbuild.normalform.geoparquet import canonical_json, projjson, stated_crs
from d4cbuild.normalform.place import EXTENTS

from .test_geometry import KINDS, declaration, normal, table_of, wkb


def geo_of(table: pa.Table, **options: Any) -> dict[str, Any]:
    out = io.BytesIO()
    write_table(table, out, declaration(**options))
    text = pq.ParquetFile(out).metadata.metadata[b"geo"]
    record: dict[str, Any] = json.loads(text)
    assert rfc8785.dumps(record) == text
    return record


def check_geoparquet(record: dict[str, Any], schema: pa.Schema) -> None:
    """The rules of GeoParquet 1.1.0 that can be checked without reading rows."""
    assert record["version"] == "1.1.0"
    assert record["primary_column"] in record["columns"]
    allowed = {
        "encoding",
        "geometry_types",
        "crs",
        "orientation",
        "edges",
        "bbox",
        "epoch",
        "covering",
    }
    kinds = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
             "GeometryCollection"}  # fmt: skip
    for name, column in record["columns"].items():
        assert set(column) <= allowed
        assert column["encoding"] == "WKB"
        assert pa.types.is_binary(schema.field(name).type)
        types = column["geometry_types"]
        assert len(types) == len(set(types))
        assert {kind.removesuffix(" Z") for kind in types} <= kinds
        assert column["crs"]["type"] in ("GeographicCRS", "ProjectedCRS")
        assert column.get("orientation", "counterclockwise") == "counterclockwise"
        assert column["edges"] == "planar"
        assert len(column.get("bbox", [0] * 4)) == 4
        for edge, path in column.get("covering", {"bbox": {}})["bbox"].items():
            struct = schema.field(path[0]).type
            assert path == ["bbox", edge]
            assert struct.field(edge).type in (pa.float32(), pa.float64())
            assert [field.name for field in struct] == ["xmin", "ymin", "xmax", "ymax"]


@pytest.mark.parametrize("crs", sorted(EXTENTS))
def test_the_record_keeps_the_rules_of_geoparquet(crs: str) -> None:
    table = table_of(*wkb(*KINDS).to_pylist())
    out = io.BytesIO()
    write_table(table, out, declaration(crs=crs))
    found = pq.ParquetFile(out)
    record = json.loads(found.metadata.metadata[b"geo"])
    check_geoparquet(record, found.schema_arrow)
    column = record["columns"]["shape"]
    assert column["bbox"] == [0, 0, 6, 6]
    assert column["geometry_types"] == sorted({proper(kind) for kind in KINDS})
    authority, code = column["crs"]["id"].values()
    assert f"{authority}:{code}" == crs


SPELLED = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTIPOINT": "MultiPoint",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
    "GEOMETRYCOLLECTION": "GeometryCollection",
}


def proper(text: str) -> str:
    """The kind of a shape written as text, as GeoParquet spells it."""
    first, *more = text.split(" (")[0].removesuffix(" EMPTY").split()
    return " ".join([SPELLED[first], *more])


def test_geometry_types_are_those_that_occur_sorted() -> None:
    table = table_of(*wkb("POINT Z (1 2 3)", "POINT (1 2)", None, "LINESTRING EMPTY").to_pylist())
    assert geo_of(table)["columns"]["shape"]["geometry_types"] == ["LineString", "Point", "Point Z"]


def test_every_geometry_column_is_described_and_the_first_is_primary() -> None:
    columns = [
        {"name": "id", "type": {"kind": "int64"}},
        {"name": "b", "type": {"kind": "geometry"}, "nullable": True, "crs": "EPSG:3347"},
        {"name": "a", "type": {"kind": "geometry"}, "nullable": True},
    ]
    wanted = Declaration.from_json({"name": "o", "columns": columns, "sort_by": ["id"]})
    table = pa.table({"id": [1], "a": wkb("POINT (1 2)"), "b": wkb("POINT (30 40)")})
    out = io.BytesIO()
    write_table(table, out, wanted)
    found = pq.ParquetFile(out)
    record = json.loads(found.metadata.metadata[b"geo"])
    check_geoparquet(record, found.schema_arrow)
    assert record["primary_column"] == "b"
    assert record["columns"]["b"]["bbox"] == [30, 40, 30, 40]
    assert record["columns"]["a"]["bbox"] == [1, 2, 1, 2]
    assert "covering" not in record["columns"]["a"]
    assert found.read()["bbox"].to_pylist()[0]["xmin"] == 30


def written_with(crs: Any) -> pa.Table:
    table = table_of(*wkb("POINT (1 2)").to_pylist())
    column = {"encoding": "WKB", "geometry_types": []} | ({} if crs == "default" else {"crs": crs})
    record = {"version": "1.1.0", "primary_column": "shape", "columns": {"shape": column}}
    return table.replace_schema_metadata({"geo": json.dumps(record)})


@pytest.mark.parametrize(
    ("crs", "declared", "agrees"),
    [
        ("default", "OGC:CRS84", True),
        ("default", "EPSG:4326", True),
        ("default", "EPSG:3347", False),
        (projjson("EPSG:3347"), "EPSG:3347", True),
        (projjson("EPSG:3347"), "OGC:CRS84", False),
        (projjson("EPSG:4326"), "OGC:CRS84", True),
        (projjson("EPSG:4617"), "OGC:CRS84", False),
        (None, "OGC:CRS84", False),
        ({"type": "ProjectedCRS", "name": "local"}, "EPSG:3347", False),
    ],
    ids=lambda value: str(value)[:25],
)
def test_a_crs_other_than_the_declared_one_is_refused(
    crs: Any, declared: str, agrees: bool
) -> None:
    found = normal(written_with(crs), crs=declared).violations
    assert [violation.rule for violation in found] == ([] if agrees else ["crs"])
    assert all(violation.message.startswith(f"declared {declared}, written") for violation in found)


SENSELESS = [
    "",
    "[]",
    "{}",
    '{"columns": 5}',
    '{"columns": {"shape": []}}',
    '{"columns": {"shape": {"crs": "x"}}}',
    '{"columns": {"shape": {"crs": {"id": 5}}}}',
    "\xff",
]


@pytest.mark.parametrize("text", SENSELESS)
def test_a_geo_record_that_makes_no_sense_is_refused(text: str) -> None:
    table = table_of(*wkb("POINT (1 2)").to_pylist())
    table = table.replace_schema_metadata({"geo": text.encode("latin-1")})
    (violation,) = normal(table).violations
    assert violation.message == "the file's geo record makes no sense"


def test_a_record_that_does_not_speak_of_the_column_says_nothing() -> None:
    assert stated_crs({b"geo": b'{"columns": {}}'}, "shape") is None
    assert stated_crs(None, "shape") is None


def test_an_unknown_crs_is_refused() -> None:
    (violation,) = normal(table_of(None), crs="EPSG:9999").violations
    assert (violation.rule, violation.message) == ("crs", "EPSG:9999 is not in the fixed table")


JSON = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(exclude_categories=["Cs"]))
    | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_canonical_json_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-400, 400).map(lambda n: 10.0 ** (n % 300))
)
def test_numbers_are_written_as_javascript_does(value: float) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        canonical_json([value])


def test_duckdb_finds_shapes_by_their_boxes(tmp_path: Any) -> None:
    x, y = np.random.default_rng(2).uniform([[-140], [42]], [[-52], [70]], (2, 5000))
    table = pa.table({"id": range(5000), "shape": shapely.to_wkb(shapely.points(x, y))})
    write_table(table, tmp_path / "p.parquet", declaration("hilbert(shape)", "id"))
    query = f"""select count(*) from '{tmp_path}/p.parquet'
                where bbox.xmin <= -100 and bbox.xmax >= -110"""
    assert duckdb.sql(query).fetchall() == [(int(((x <= -100) & (x >= -110)).sum()),)]


def test_shapes_have_no_statistics_but_their_boxes_do() -> None:
    out = io.BytesIO()
    write_table(table_of(*wkb(*KINDS).to_pylist()), out, declaration())
    columns = pq.ParquetFile(out).metadata.row_group(0)
    found = {
        columns.column(i).path_in_schema: columns.column(i).is_stats_set
        for i in range(columns.num_columns)
    }
    assert [path for path, there in found.items() if not there] == ["shape"]
