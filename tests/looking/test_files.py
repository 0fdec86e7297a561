"""Archives, workbooks, nested files, shapes, and the texts that come with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.looking.found import look_at, note, options, source, table, types, zipped
from tests.steps.raw import workbook


def _points(**more: object) -> dict[str, object]:
    features = [
        {
            "type": "Feature",
            "properties": {"id": n, "name": f"n{n}"},
            "geometry": {"type": "Point", "coordinates": [-75.0 - n, 45.0]},
        }
        for n in range(3)
    ]
    return {"type": "FeatureCollection", "features": features, **more}


def test_members_with_the_same_columns_are_one_table(tmp_path: Path) -> None:
    data = zipped({"x/m10.csv": "id,n\n1,2\n", "x/m2.csv": "id,n\n2,3\n", "readme.txt": "about"})
    found = table(tmp_path, "a.zip", data)
    assert (options(found), found.rows, found.name) == ({"members": "*.csv"}, 2, "a")


def test_members_with_other_columns_are_tables_of_their_own(tmp_path: Path) -> None:
    found = source(tmp_path, "a.zip", zipped({"a.csv": "id,x\n1,2\n", "b.csv": "code,y\n3,4\n"}))
    assert [each.name for each in found.tables] == ["a", "b"]


def test_the_members_path_is_a_column_if_only_it_tells_rows_apart(tmp_path: Path) -> None:
    data = zipped({"jan.csv": "day,n\n1,2\n2,2\n", "feb.csv": "day,n\n1,2\n2,2\n"})
    found = table(tmp_path, "a.zip", data)
    assert options(found)["member_column"] == "member"
    assert set(found.key) == {"day", "member"}
    note(found, "member_column")


def test_members_that_differ_in_ascii_only_are_read_in_the_encoding_of_the_others(
    tmp_path: Path,
) -> None:
    data = zipped({"a.csv": "id,n\n1,Montréal\n".encode("cp1252"), "b.csv": b"id,n\n2,Laval\n"})
    assert options(table(tmp_path, "a.zip", data))["encoding"] == "cp1252"


def test_an_archive_in_an_archive_is_left_out_and_said(tmp_path: Path) -> None:
    found = source(tmp_path, "a.zip", zipped({"b.zip": zipped({"a.csv": "id\n1\n"})}))
    assert found.tables == ()
    assert "'b.zip'" in (found.trouble or "")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    found = source(tmp_path, "a.zip", zipped({"a.csv": bytes(1 << 30), "b.csv": b"id\n1\n"}))
    assert "unpacked, more than" in (found.trouble or "")


def test_a_broken_archive_is_said_to_be_broken(tmp_path: Path) -> None:
    found = source(tmp_path, "a.zip", zipped({"a.csv": "id,n\n1,2\n"})[:-30])
    assert "no archive that can be read" in (found.trouble or "")


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    facts = look_at(tmp_path, {"a.csv": b"", "b.csv": b"id,n\n1,2\n", "c.gpkg": b"nothing"})
    assert [bool(each.trouble) for each in facts.sources] == [True, False, True]


def test_a_sheet_with_a_title_and_totals_is_read_from_its_names_to_its_last_row(
    tmp_path: Path,
) -> None:
    rows = [["A title"], [], ["Code", "Nom", "Valeur"]]
    rows += [[f"c{n}", f"n{n}", n * 1.5] for n in range(8)] + [[], ["Total", None, 42]]
    found = source(tmp_path, "a.xlsx", workbook({"Data": rows, "Notes": [["only a text"], []]}))
    (only,) = found.tables
    assert options(only) == {"sheet": "Data", "range": "A3:C11"}
    assert types(only) == {"code": "string", "nom": "string", "valeur": "float64"}
    assert "Total 42" in " ".join(each.text for each in only.notes)
    assert "Notes is left out" in note(found, "sheet").text


def test_records_of_json_are_found_where_the_most_are(tmp_path: Path) -> None:
    value = {"title": "t", "groups": [{"g": g, "members": [{"id": g * 2 + n} for n in (0, 1)]}
                                      for g in range(3)]}  # fmt: skip
    found = table(tmp_path, "a.json", json.dumps(value))
    assert options(found) == {"records": "groups[].members[]"}
    assert found.rows == 6
    assert "groups[] (3)" in note(found, "records").text


def test_records_of_xml_are_found_with_all_that_is_in_them(tmp_path: Path) -> None:
    rows = "".join(f"<s code='c{n}'><name>n{n}</name><at><lat>4{n}</lat></at></s>" for n in (1, 2))
    found = table(tmp_path, "a.xml", f"<all><made>2020</made>{rows}</all>")
    assert types(found) == {"code": "string", "name": "string", "at_lat": "uint8"}


def test_xml_entities_are_not_expanded(tmp_path: Path) -> None:
    data = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a><r><x>&e;</x></r></a>'
    found = source(tmp_path, "a.xml", data)
    host = Path("/etc/hostname").read_text().strip()
    assert host not in found.model_dump_json()


@pytest.mark.parametrize(
    ("crs", "declared", "projected"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84", None),
        ("urn:ogc:def:crs:EPSG::4617", "EPSG:4617", None),
        ("urn:ogc:def:crs:EPSG::3979", "EPSG:3979", None),
        ("urn:ogc:def:crs:EPSG::26917", "EPSG:4617", "EPSG:4617"),
        ("urn:ogc:def:crs:EPSG::32617", "OGC:CRS84", "OGC:CRS84"),
    ],
)
def test_a_crs_is_kept_if_an_output_can_have_it_and_else_projected(
    tmp_path: Path, crs: str, declared: str, projected: str | None
) -> None:
    named = {"type": "name", "properties": {"name": crs}}
    value = _points(crs=named)
    for feature in value["features"]:  # type: ignore[attr-defined]
        if "269" in crs or "326" in crs:
            feature["geometry"]["coordinates"] = [500_000 + feature["properties"]["id"], 5_000_000]
    found = table(tmp_path, "a.geojson", json.dumps(value))
    assert found.geometry is not None
    assert found.geometry.crs == declared
    assert [step.as_json().get("to_crs") for step in found.steps][-1] == projected
    if projected:
        assert projected in note(found, "geometry.crs").text


def test_shapes_outside_canada_have_to_be_decided(tmp_path: Path) -> None:
    value = json.dumps(_points()).replace("45.0", "0.5")
    assert note(table(tmp_path, "a.geojson", value), "geometry").confidence is None


def test_columns_of_longitude_and_latitude_become_points(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,Longitude,Latitude\n1,-75.7,45.4\n2,-63.6,44.6\n")
    assert found.geometry is not None
    assert found.geometry.types == ("Point",)
    assert types(found) == {"id": "uint8", "geometry": "geometry"}


def test_half_a_place_makes_no_point(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,lon,lat\n1,-75.7,45.4\n2,-63.6,\n")
    assert found.geometry is None
    assert note(found, "geometry").confidence is None


def test_wkt_becomes_shapes(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", 'id,the_geom\n1,"LINESTRING (-75 45, -76 46)"\n2,\n')
    assert found.geometry is not None
    assert (found.geometry.types, found.geometry.missing) == (("LineString",), 1)


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Open Government Licence – Canada", "OGL-Canada-2.0"),
        ("under the Open Government Licence - British Columbia, see", None),
        ("Statistics Canada Open Licence", "LicenseRef-StatCan-Open-Licence"),
        ("https://creativecommons.org/licenses/by/4.0/deed.fr", "CC-BY-4.0"),
        ("Licence du gouvernement ouvert – Canada", "OGL-Canada-2.0"),
        ("Open Government Licence - City of Ottawa", "LicenseRef-OGL-Ottawa"),
    ],
)
def test_a_licence_is_found_in_the_texts_beside(
    tmp_path: Path, text: str, licence: str | None
) -> None:
    facts = look_at(tmp_path, {"a.csv": b"id\n1\n"}, {"licence.txt": text.encode()})
    assert facts.licence is not None
    assert facts.licence.licence == (licence or "LicenseRef-OGL-British-Columbia")
    assert "licence.txt" in facts.licence.evidence


def test_a_licence_that_nobody_names_is_none(tmp_path: Path) -> None:
    facts = look_at(tmp_path, {"a.csv": b"id\n1\n"}, {"readme.md": b"Some words."})
    assert facts.licence is None
