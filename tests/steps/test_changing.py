"""The steps that change tables, and what is declared at the end."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
import shapely

from d4cbuild.steps.angles import degrees_of
from d4cbuild.steps.casting import cast
from d4cbuild.steps.columns import change_columns
from d4cbuild.steps.combining import join, union
from d4cbuild.steps.declared import as_declared
from d4cbuild.steps.geometry import change_geometry
from d4cbuild.steps.shapes import shape_columns
from d4cbuild.steps.sql import run_sql
from tests.steps.raw import refused, texts

UTC = datetime.UTC


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int8", "-128", -128),
        ("uint64", "18446744073709551615", 18446744073709551615),
        ("float64", "0.1", 0.1),
        ("decimal(5,2)", "12.50", Decimal("12.50")),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("date", "2018-03-01", datetime.date(2018, 3, 1)),
        ("date", "2018-03-01T00:00:00", datetime.date(2018, 3, 1)),
        ("time", "13:30", datetime.time(13, 30)),
        ("timestamp", "2018-03-01 13:30:00", datetime.datetime(2018, 3, 1, 13, 30)),
        ("timestamp_utc", "2018-03-01T13:30:00-05:00",
         datetime.datetime(2018, 3, 1, 18, 30, tzinfo=UTC)),
        ("string", " as it is ", " as it is "),
    ],
)  # fmt: skip
def test_text_becomes_a_value_of_its_type(kind: str, text: str, value: Any) -> None:
    column = cast(texts(c=[text, None])["c"], "c", kind)
    assert column.to_pylist() == [value, None]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int8", "128"),
        ("int32", "1.0"),
        ("int32", "1,000"),
        ("int32", " 1"),
        ("uint8", "-1"),
        ("float64", "1,5"),
        ("decimal(3,2)", "12.50"),
        ("decimal(5,1)", "0.25"),
        ("boolean", "yes"),
        ("date", "01/03/2018"),
        ("date", "2018-02-30"),
        ("date", "2018-03-01T13:30:00"),
        ("timestamp", "2018-03-01T13:30:00Z"),
        ("timestamp_utc", "2018-03-01T13:30:00"),
        ("time", "24:10"),
    ],
)
def test_text_that_is_no_value_of_its_type_is_refused_and_shown(kind: str, text: str) -> None:
    said = refused(cast, texts(c=[None, text])["c"], "c", kind)
    assert f"row 2: {text!r}" in said
    assert kind in said


def test_values_that_would_lose_something_are_refused() -> None:
    assert "without loss" in refused(cast, pa.chunked_array([[1.5]]), "c", "int32")
    assert cast(pa.chunked_array([[2.0]]), "c", "int8").to_pylist() == [2]


def test_columns_are_chosen_renamed_cleaned_and_typed_in_this_order() -> None:
    table = texts(A=[" 1 595,5 ", "-"], B=["Y", "N"], C=["x", "x"], D=["3/1/2018", None])
    found = change_columns(
        table,
        drop=["C"],
        rename={"A": "area", "B": "open", "D": "day"},
        only=["area"],
        trim=True,
        null=["-"],
        thousands=" ",
        decimal=",",
        replace={"open": {"Y": "true", "N": "false"}},
        types={"area": "float64", "open": "boolean", "day": "date"},
        formats={"day": "%m/%d/%Y"},
    )
    assert found.to_pydict() == {
        "area": [1595.5, None],
        "open": [True, False],
        "day": [datetime.date(2018, 3, 1), None],
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": ["Z"]}, "keep names columns that are not there"),
        ({"drop": ["Z"]}, "drop names columns"),
        ({"rename": {"Z": "z"}}, "rename names columns"),
        ({"rename": {"A": "B"}}, "same name"),
        ({"only": ["Z"], "trim": True}, "only names columns"),
        ({"replace": {"A": {"q": "r"}}}, "does not have"),
        ({"types": {"A": "int8"}}, "row 1: 'a'"),
        ({"formats": {"A": "%Y"}}, "formats are for columns of types"),
        ({"types": {"A": "int8"}, "formats": {"A": "%Y"}}, "a date or time in text"),
        ({"types": {"A": "timestamp_utc"}, "zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_a_change_of_columns_that_does_not_fit_is_refused(
    options: dict[str, Any], words: str
) -> None:
    assert words in refused(change_columns, texts(A=["a"], B=["b"]), **options)


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("America/Halifax", "2018-07-01T12:00", "2018-07-01T15:00"),
        ("America/Halifax", "2018-01-01T12:00", "2018-01-01T16:00"),
        ("-06:00", "1986-07-01 12:00", "1986-07-01T18:00"),
    ],
)
def test_a_wall_clock_is_an_instant_by_its_zone(zone: str, text: str, utc: str) -> None:
    found = change_columns(texts(t=[text]), types={"t": "timestamp_utc"}, zone=zone)
    assert found["t"].to_pylist() == [datetime.datetime.fromisoformat(f"{utc}+00:00")]


@pytest.mark.parametrize("text", ["2018-03-11T02:30", "2018-11-04T01:30"])
def test_an_hour_that_the_clock_skipped_or_showed_twice_is_refused(text: str) -> None:
    options = {"types": {"t": "timestamp_utc"}, "zone": "America/Toronto"}
    assert text in refused(change_columns, texts(t=[text]), **options)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("45.32N", 45.32),
        ("75.67W", -75.67),
        ("73,5".replace(",", "."), 73.5),
        ("45°25'15\"N", 45 + 25 / 60 + 15 / 3600),
        ("75 41 30 O", -(75 + 41 / 60 + 30 / 3600)),
        ("45:30", 45.5),
        ("485200000", 48 + 52 / 60),
        ("-1234500000", -(123 + 45 / 60)),
    ],
)
def test_angles_are_decimal_degrees(text: str, degrees: float) -> None:
    (found,) = degrees_of(texts(a=[text])["a"], "a").to_pylist()
    assert found == pytest.approx(degrees, abs=1e-13)


@pytest.mark.parametrize("text", ["north", "45°61'00\"", "95N", "181", "-45N", "4852"])
def test_what_is_no_angle_is_refused(text: str) -> None:
    assert repr(text) in refused(degrees_of, texts(a=[text])["a"], "a")


def test_a_query_sees_tables_and_parameters_and_nothing_else() -> None:
    tables = {"places": texts(name=["b", "a"])}
    found = run_sql(tables, "SELECT name, $least AS least FROM places ORDER BY name", {"least": 3})
    assert found.to_pydict() == {"name": ["a", "b"], "least": [3, 3]}
    assert "another" in refused(run_sql, tables, "SELECT $another", {"least": 3})
    assert "places" in refused(run_sql, tables, "SELECT * FROM place", {})
    assert "cannot be answered" in refused(run_sql, tables, "SELECT * FROM '/etc/passwd'", {})
    assert "one SELECT" in refused(run_sql, tables, "CREATE TABLE more (a INT)", {})
    assert "one SELECT" in refused(run_sql, tables, "SELECT 1; SELECT 2", {})


def test_a_query_keeps_the_crs_of_shapes() -> None:
    table = change_geometry(texts(x=["1"], y=["2"]), x="x", y="y", crs="EPSG:4617")
    found = run_sql({"t": table}, "SELECT geometry, 1 AS one FROM t", {})
    assert shape_columns(found) == {"geometry": "EPSG:4617"}


def test_tables_are_put_below_each_other_by_the_names_of_columns() -> None:
    one, other = texts(a=["1"], b=["x"]), texts(b=["y"], a=["2"])
    found = union({"one": one, "other": other}, table_column="from")
    assert found.to_pydict() == {"a": ["1", "2"], "b": ["x", "y"], "from": ["one", "other"]}
    assert "lacks some" in refused(union, {"one": one, "other": texts(a=["2"])})
    types = {"one": texts(a=["1"]), "other": pa.table({"a": [1]})}
    assert "different types" in refused(union, types)


def test_a_join_keeps_rows_and_doubles_none() -> None:
    left = texts(id=["1", "2"], name=["a", "b"])
    right = texts(code=["1", "3"], kind=["x", "z"])
    options: dict[str, Any] = {"on": {"id": "code"}}
    assert "1 rows have no partner" in refused(join, left, right, **options)
    found = join(left, right, **options, unmatched="null").sort_by("id")
    assert found.to_pydict() == {"id": ["1", "2"], "name": ["a", "b"], "kind": ["x", None]}
    assert join(left, right, **options, unmatched="drop")["name"].to_pylist() == ["a"]
    double = texts(code=["1", "1"], kind=["x", "y"])
    assert "several rows for one key" in refused(join, left, double, **options)
    same = texts(code=["1"], name=["x"])
    assert "both tables" in refused(join, left, same, **options)
    assert "no such columns" in refused(join, left, right, on={"id": "nothing"})


def test_shapes_are_made_of_coordinates_and_use_them_up() -> None:
    table = texts(n=["a", "b"], lon=["-75.5", None], lat=["45.25", None])
    found = change_geometry(table, x="lon", y="lat", crs="EPSG:4326")
    assert found.column_names == ["n", "geometry"]
    assert shapely.from_wkb(found["geometry"].to_pylist()).tolist() == [
        shapely.Point(-75.5, 45.25),
        None,
    ]
    half = texts(lon=["1", None], lat=["2", "3"])
    assert "rows 2" in refused(change_geometry, half, x="lon", y="lat", crs="EPSG:4326")


def test_shapes_are_made_of_wkt() -> None:
    found = change_geometry(
        texts(w=["LINESTRING (0 0, 1 1)"]), wkt="w", crs="EPSG:4326", multi=True
    )
    (line,) = shapely.from_wkb(found["geometry"].to_pylist())
    assert line == shapely.MultiLineString([[(0, 0), (1, 1)]])
    assert "not all WKT" in refused(change_geometry, texts(w=["LINE"]), wkt="w", crs="EPSG:4326")


def test_projecting_moves_x_and_y_and_leaves_heights() -> None:
    table = change_geometry(texts(w=["POINT Z (-75 45 100)"]), wkt="w", crs="EPSG:4326")
    found = change_geometry(table, to_crs="EPSG:3979", decimals=2)
    (point,) = shapely.from_wkb(found["geometry"].to_pylist())
    assert shape_columns(found) == {"geometry": "EPSG:3979"}
    assert (point.x, point.y, point.z) == (1578126.08, -198242.91, 100.0)
    (flat,) = shapely.from_wkb(change_geometry(table, drop_z=True)["geometry"].to_pylist())
    assert not flat.has_z
    back = change_geometry(table, swap=True)
    (turned,) = shapely.from_wkb(back["geometry"].to_pylist())
    assert (turned.x, turned.y, turned.z) == (45, -75, 100)


def test_invalid_shapes_are_mended_without_lines_left_over() -> None:
    bow = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"
    table = change_geometry(texts(w=[bow]), wkt="w", crs="EPSG:4326")
    (mended,) = shapely.from_wkb(
        change_geometry(table, make_valid=True, multi=True)["geometry"].to_pylist()
    )
    assert mended.is_valid
    assert mended.geom_type == "MultiPolygon"
    assert mended.area == 2


def test_shapes_of_unknown_crs_are_not_projected() -> None:
    table = change_geometry(texts(w=["POINT (1 2)"]), wkt="w")
    assert 'crs = "EPSG:…"' in refused(change_geometry, table, to_crs="EPSG:4326")


DECLARED: dict[str, Any] = {"types": {"id": "int8", "g": "geometry"}, "nullable": ["g"]}


def test_a_table_is_brought_to_its_declaration() -> None:
    table = change_geometry(texts(id=["1"], w=[None]), column="g", wkt="w", crs="EPSG:4326")
    found = as_declared(table, **DECLARED, crs={"g": "OGC:CRS84"})
    assert found.schema.names == ["id", "g"]
    assert found.to_pydict() == {"id": [1], "g": [None]}


@pytest.mark.parametrize(
    ("table", "crs", "words"),
    [
        (texts(id=["1"]), {}, "declared, but not in the table: 'g'"),
        (texts(id=["1"], g=[None], h=["x"]), {}, "in the table, but not declared: 'h'"),
        (texts(ids=["1"], g=[None]), {}, "'id' is perhaps 'ids'"),
        (texts(id=[None], g=[None]), {}, "1 nulls, the first in row 1"),
        (change_geometry(texts(id=["1"], w=["POINT (1 2)"]), column="g", wkt="w", crs="EPSG:3005"),
         {"g": "EPSG:4617"}, 'to_crs = "EPSG:4617"'),
        (change_geometry(texts(id=["1"], w=["POINT (1 2)"]), column="g", wkt="w"),
         {"g": "EPSG:4617"}, "is not known"),
    ],
)  # fmt: skip
def test_a_table_unlike_its_declaration_is_refused(
    table: pa.Table, crs: dict[str, str], words: str
) -> None:
    assert words in refused(as_declared, table, **DECLARED, crs=crs)
