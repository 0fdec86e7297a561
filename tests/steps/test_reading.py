"""The read step: every format as it comes, and what is refused of it."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.steps.reading import read_source
from d4cbuild.steps.shapes import shape_columns
from tests.steps.raw import read, refused, workbook, zipped

POINTS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": name, "count": count},
            "geometry": None if x is None else {"type": "Point", "coordinates": [x, 45.5]},
        }
        for name, count, x in (("Gatineau", 3, -75.7), ("", 1, None))
    ],
}


@pytest.mark.parametrize(
    ("data", "options", "rows"),
    [
        (b"a,b\n1,x\n", {}, {"a": ["1"], "b": ["x"]}),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n", {}, {"a": ["1"], "b": ["x"]}),
        (b"a,b\n007,\n", {}, {"a": ["007"], "b": [None]}),
        (b" a ,b\n 1 ,x\n", {}, {"a": [" 1 "], "b": ["x"]}),
        (b'a,b\n"1,5","x ""y""\nz"\n', {}, {"a": ["1,5"], "b": ['x "y"\nz']}),
        (b"a;b\n1;2\n", {"delimiter": ";"}, {"a": ["1"], "b": ["2"]}),
        (b"a\tb\n1\t'2\n", {"delimiter": "\t", "quote": ""}, {"a": ["1"], "b": ["'2"]}),
        (b"Title\n\na,b\n1,2\n", {"skip_lines": 1}, {"a": ["1"], "b": ["2"]}),
        (b"a,b\n1,2\n\nTotal,9\n", {"skip_last": 1}, {"a": ["1"], "b": ["2"]}),
        (b"1,2\n3,4\n", {"header": False}, {"column_1": ["1", "3"], "column_2": ["2", "4"]}),
        (b"1,2\n", {"header": False, "names": ["x", "y"]}, {"x": ["1"], "y": ["2"]}),
        (b"a,a\n1,2\n", {"names": ["x", "y"]}, {"x": ["1"], "y": ["2"]}),
        (b"a,b,c\n1\n1,2,3\n", {"ragged": "pad"},
         {"a": ["1", "1"], "b": [None, "2"], "c": [None, "3"]}),
        (b"a,b\n", {}, {"a": [], "b": []}),
        (b"a,b\n..,x\n", {"null": ["..", "x"]}, {"a": [None], "b": [None]}),
        (b"a,b\n,x\n", {"null": []}, {"a": [""], "b": ["x"]}),
        ("nom\nQuébec\n".encode("cp1252"), {"encoding": "cp1252"}, {"nom": ["Québec"]}),
        ("nom\nÎle\n".encode("utf-16"), {"encoding": "utf-16"}, {"nom": ["Île"]}),
    ],
)  # fmt: skip
def test_delimited_text_is_read_as_it_stands(
    tmp_path: Path, data: bytes, options: dict[str, Any], rows: dict[str, list[Any]]
) -> None:
    assert read(tmp_path, "raw.csv", data, **options) == rows


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (b"", {}, "is empty"),
        (b"a,a\n1,2\n", {}, "no name of their own"),
        (b"a,b\n1\n", {}, 'ragged = "pad"'),
        (b"a,b\n1,2\n1,2,3\n", {}, "line 3"),
        (b"a,b\n1,2,3\n", {"ragged": "pad"}, "another number of fields"),
        (b'a,b\n"1,2\n', {}, "raw.csv, line"),
        (b"a\nQu\xe9bec\n", {}, "line 2 is not utf-8"),
        (b"a\n1\n", {"encoding": "klingon"}, "no encoding"),
        (b"a,b\n1,2\n", {"names": ["x"]}, "names are given for 1"),
        (b"a\n1\n", {"skip_last": 2}, "fewer rows"),
        (b"a\n1\n", {"sheet": "x"}, "for which these mean nothing"),
    ],
)
def test_delimited_text_that_is_not_as_expected_is_refused(
    tmp_path: Path, data: bytes, options: dict[str, Any], words: str
) -> None:
    (tmp_path / "raw.csv").write_bytes(data)
    assert words in refused(read_source, tmp_path / "raw.csv", **options)


def test_members_of_an_archive_are_one_table_in_order_of_their_names(tmp_path: Path) -> None:
    path = zipped(tmp_path / "raw.zip", {"b/2.csv": b"a\n2\n", "b/1.csv": b"a\n1\n", "c.txt": b"x"})
    table = read_source(path, members="*.csv", member_column="file")
    assert table.to_pydict() == {"a": ["1", "2"], "file": ["b/1.csv", "b/2.csv"]}


def test_members_with_other_columns_are_refused_or_filled_with_nulls(tmp_path: Path) -> None:
    path = zipped(tmp_path / "raw.zip", {"1.csv": b"a\n1\n", "2.csv": b"a,b\n2,x\n"})
    assert "1.csv lacks some" in refused(read_source, path, members="*.csv")
    table = read_source(path, members="*.csv", missing="null")
    assert table.to_pydict() == {"a": ["1", "2"], "b": [None, "x"]}


@pytest.mark.parametrize(
    ("members", "words"), [(None, "which of its members"), ("*.xlsx", "no member of raw.zip")]
)
def test_an_archive_without_a_matching_member_is_refused(
    tmp_path: Path, members: str | None, words: str
) -> None:
    path = zipped(tmp_path / "raw.zip", {"a.csv": b"a\n1\n"})
    assert words in refused(read_source, path, members=members)


def test_what_only_calls_itself_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw.zip").write_bytes(b"not a zip")
    assert "no archive that can be read" in refused(
        read_source, tmp_path / "raw.zip", members="*.csv"
    )


def test_a_range_of_a_sheet_is_read_as_text(tmp_path: Path) -> None:
    import datetime

    moment = datetime.datetime(2018, 3, 1, 13, 30)
    rows = [
        ["Title", None, None, None],
        ["id ", "when", "value", "flag"],
        [1, moment, 1.5, True],
        [None, None, None, None],
        [20.0, datetime.datetime(2018, 3, 2), 0.1, False],
        ["Total", None, 3, None],
    ]
    data = workbook({"Notes": [["x"]], "Detail": rows})
    found = read(tmp_path, "raw.xlsx", data, sheet="Detail", range="A2:D5")
    assert found == {
        "id": ["1", "20"],
        "when": ["2018-03-01T13:30:00", "2018-03-02T00:00:00"],
        "value": ["1.5", "0.1"],
        "flag": ["true", "false"],
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "has several sheets"),
        ({"sheet": "Sheet9"}, "no sheet 'Sheet9'"),
        ({"sheet": "One", "range": "A1:B2"}, "no name of their own"),
        ({"sheet": "Empty"}, "no cells there"),
    ],
)
def test_a_workbook_that_is_not_as_expected_is_refused(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    (tmp_path / "raw.xlsx").write_bytes(workbook({"One": [["a"], [1]], "Empty": []}))
    assert words in refused(read_source, tmp_path / "raw.xlsx", **options)


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw.xlsx").write_bytes(b"PK no zip")
    assert "cannot be read as a workbook" in refused(read_source, tmp_path / "raw.xlsx")


def test_records_of_json_get_dotted_names_and_what_is_beside_their_path(tmp_path: Path) -> None:
    value = {
        "id": 33100036,
        "object": {
            "title": "Rates",
            "dimension": [
                {"name": "Currency", "member": [{"n": 1, "x": {"y": True}}, {"n": 2.50}]},
                {"name": "Geo", "member": [{"n": None, "list": [1, "é"]}]},
            ],
        },
    }
    found = read(
        tmp_path, "raw.json", json.dumps(value).encode(), records="object.dimension[].member[]"
    )
    assert found == {
        "id": ["33100036"] * 3,
        "object.title": ["Rates"] * 3,
        "object.dimension.name": ["Currency", "Currency", "Geo"],
        "object.dimension.member.n": ["1", "2.5", None],
        "object.dimension.member.x.y": ["true", None, None],
        "object.dimension.member.list": [None, None, '["1", "é"]'],
    }


def test_a_list_at_the_top_is_a_table_of_its_records(tmp_path: Path) -> None:
    assert read(tmp_path, "raw.json", b'[{"a": 1}, {"a": "x"}]') == {"a": ["1", "x"]}


@pytest.mark.parametrize(
    ("data", "records", "words"),
    [
        (b"{", "", "cannot be read as JSON"),
        (b'{"a": 1}', "b", "has no 'b'"),
        (b'{"a": 1}', "a[]", "is no list"),
        (b"[1]", "", "is no object"),
        (b"[]", "", "has no records"),
        (b"[" * 100_000, "", "cannot be read as JSON"),
    ],
)
def test_json_that_is_not_as_expected_is_refused(
    tmp_path: Path, data: bytes, records: str, words: str
) -> None:
    (tmp_path / "raw.json").write_bytes(data)
    assert words in refused(read_source, tmp_path / "raw.json", records=records)


SITE = b"""<site xmlns:w="urn:w"><place name="Ottawa"/>
  <day n="1"><high units="C">-3</high><low/><w:wind>NW</w:wind></day>
  <day n="2"><high units="C"> 2 </high></day></site>"""


def test_elements_of_xml_are_rows_by_paths(tmp_path: Path) -> None:
    columns = {
        "n": "@n",
        "high": "high",
        "units": "high/@units",
        "place": "/site/place/@name",
        "parts": "count(*)",
        "wind": "w:wind",
    }
    namespaces = {"w": "urn:w"}
    options = {"records": "day", "columns": columns, "namespaces": namespaces}
    assert read(tmp_path, "raw.xml", SITE, **options) == {
        "n": ["1", "2"],
        "high": ["-3", "2"],
        "units": ["C", "C"],
        "place": ["Ottawa", "Ottawa"],
        "parts": ["3", "1"],
        "wind": ["NW", None],
    }


def test_without_paths_attributes_and_plain_elements_are_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "raw.xml", SITE, records="day")
    assert found == {
        "n": ["1", "2"],
        "high": ["-3", "2"],
        "low": [None, None],
        "wind": ["NW", None],
    }


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (b"<a>", {"records": "b"}, "cannot be read as XML"),
        (SITE, {"records": "day["}, "no XPath"),
        (SITE, {"records": "count(day)"}, "does not name elements"),
        (SITE, {"records": "moon"}, "has no records"),
        (SITE, {"records": ".", "columns": {"n": "day/@n"}}, "finds 2 things in one row"),
        (b"<a><b><c/><c/></b></a>", {"records": "b"}, "more than once"),
    ],
)
def test_xml_that_is_not_as_expected_is_refused(
    tmp_path: Path, data: bytes, options: dict[str, Any], words: str
) -> None:
    (tmp_path / "raw.xml").write_bytes(data)
    assert words in refused(read_source, tmp_path / "raw.xml", **options)


@pytest.mark.parametrize("entity", ['SYSTEM "secret"', '"xxxxxxxxxx"'])
def test_entities_of_xml_neither_grow_nor_read_files(tmp_path: Path, entity: str) -> None:
    (tmp_path / "secret").write_text("secret")
    data = f"<!DOCTYPE a [<!ENTITY e {entity}>]><a><b>x&e;</b></a>"
    (tmp_path / "raw.xml").write_text(data)
    options: dict[str, Any] = {"records": "b", "columns": {"t": "."}}
    assert "entities of its own" in refused(read_source, tmp_path / "raw.xml", **options)


def test_layers_have_types_and_shapes_with_a_crs(tmp_path: Path) -> None:
    (tmp_path / "raw.geojson").write_text(json.dumps(POINTS))
    table = read_source(tmp_path / "raw.geojson")
    assert table.column_names == ["name", "count", "geometry"]
    assert table["name"].to_pylist() == ["Gatineau", None]
    assert table["count"].to_pylist() == [3, 1]
    assert table["geometry"].null_count == 1
    assert shape_columns(table) == {"geometry": "EPSG:4326"}


def test_a_layer_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "raw.geojson").write_text(json.dumps(POINTS))
    assert "'raw'" in refused(read_source, tmp_path / "raw.geojson", layer="other")


def test_a_file_of_unknown_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw.dat").write_bytes(b"a\n1\n")
    assert 'format = "…"' in refused(read_source, tmp_path / "raw.dat")
    assert read_source(tmp_path / "raw.dat", format="csv").to_pydict() == {"a": ["1"]}


def test_waypoints_of_gpx_are_a_layer(tmp_path: Path) -> None:
    (tmp_path / "raw.gpx").write_text(
        '<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">'
        '<wpt lat="45.5" lon="-75.5"><name>Gatineau</name></wpt></gpx>'
    )
    assert "'waypoints'" in refused(read_source, tmp_path / "raw.gpx")
    table = read_source(tmp_path / "raw.gpx", layer="waypoints")
    assert table["name"].to_pylist() == ["Gatineau"]
    assert shape_columns(table) == {"geometry": "EPSG:4326"}


def test_members_of_a_compressed_tar_are_read_like_those_of_a_zip(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a\n1\n")
    (tmp_path / "2.geojson").write_text(json.dumps(POINTS))
    with tarfile.open(tmp_path / "raw.tar.gz", "w:gz") as archive:
        for name in ("1.csv", "2.geojson"):
            archive.add(tmp_path / name, f"in/{name}")
    path = tmp_path / "raw.tar.gz"
    assert read_source(path, members="*.csv").to_pydict() == {"a": ["1"]}
    assert read_source(path, members="*.geojson")["count"].to_pylist() == [3, 1]
