"""Text with delimiters: encodings, where the table is, and what cannot be one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from d4cbuild.model.facts import TableFacts
from tests.looking.found import note, options, source, table, types

NAMES = "id,nom\n1,Montréal – été\n2,Québec\n3,Trois-Rivières\n4,L’Île-Perrot\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_an_encoding_is_found_and_the_accents_with_it(tmp_path: Path, encoding: str) -> None:
    found = table(tmp_path, "a.csv", NAMES.encode(encoding))
    assert options(found).get("encoding", "utf-8") == encoding.removesuffix("-sig")
    assert found.columns[1].max == "Trois-Rivières"


def test_cp850_is_told_from_cp1252_and_said_with_its_confidence(tmp_path: Path) -> None:
    text = "id,nom\n1,Montréal\n2,Québec\n3,Trois-Rivières\n4,Saint-Jérôme\n5,Forêt\n"
    found = table(tmp_path, "a.csv", text.encode("cp850"))
    assert options(found)["encoding"] == "cp850"
    assert 50 < (note(found, "encoding").confidence or 0) < 99


def test_cp1252_without_its_own_signs_is_said_to_read_as_latin_1_too(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,nom\n1,Montréal\n2,Québec\n".encode("latin-1"))
    assert options(found)["encoding"] == "cp1252"
    assert "latin-1 would read the same" in note(found, "encoding").text


def test_lines_before_and_after_the_table_are_left_out_and_said(tmp_path: Path) -> None:
    text = "Title\nUpdated: 2020\n\nid,name,n\n1,a,2\n2,b,3\n3,c,4\nSource: somebody\n"
    found = table(tmp_path, "a.csv", text)
    assert options(found) == {"skip_lines": 3, "skip_last": 1}
    assert found.rows == 3
    assert "Title" in note(found, "skip_lines").text
    assert "Source: somebody" in note(found, "skip_last").text


@pytest.mark.parametrize(("delimiter", "name"), [(";", "a.csv"), ("\t", "a.txt"), ("|", "a.csv")])
def test_a_delimiter_is_found(tmp_path: Path, delimiter: str, name: str) -> None:
    found = table(tmp_path, name, "id,x,y\n1,a,b\n2,c,d\n".replace(",", delimiter))
    assert options(found)["delimiter"] == delimiter
    assert [column.name for column in found.columns] == ["id", "x", "y"]


def test_rows_that_are_too_short_are_filled_and_said(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,a,b\n1,x,y\n2,x\n3,x,z\n4,q,w\n")
    assert options(found) == {"ragged": "pad"}
    assert "1 of 4 rows" in note(found, "ragged").text


def test_rows_that_are_too_long_get_columns_of_their_own(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,name\n1,a\n2,b,more\n3,c\n4,d\n5,e\n")
    assert [column.name for column in found.columns] == ["id", "name", "extra_1"]
    assert (note(found, "names").confidence or 0) < 50


def test_columns_of_one_name_or_of_none_are_told_apart(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,name,name,\n1,a,b,c\n2,d,e,f\n")
    assert [column.name for column in found.columns] == ["id", "name", "name_2", "column_4"]
    note(found, "names")


def test_values_in_the_first_line_are_no_names(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "1,5.5,abc\n2,6.5,def\n3,7.5,ghi\n")
    assert (found.rows, options(found)) == (3, {"header": False})
    note(found, "header")


def test_years_may_be_names_of_columns(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "place,2016,2021\nYukon,1,2\nNunavut,3,4\n")
    assert [column.name for column in found.columns] == ["place", "c_2016", "c_2021"]


def test_quotes_that_quote_nothing_are_read_as_signs(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", 'id,name\n1,a "b" c\n2,"bad" quote\n')
    assert options(found) == {"quote": ""}


def test_french_names_become_plain_ones(tmp_path: Path) -> None:
    text = "Identifiant;Année d'étude;Œuvre;Superficie (%)\n1;2020;x;1,5\n2;2021;y;2,5\n"
    found = table(tmp_path, "a.csv", text)
    names = [column.name for column in found.columns]
    assert names == ["identifiant", "annee_detude", "oeuvre", "superficie_percent"]
    assert found.columns[1].given == "Année d'étude"


def test_of_a_bilingual_name_the_english_half_is_taken(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "Electoral District/Circonscription,n\n1,2\n2,3\n")
    assert found.columns[0].name == "electoral_district"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (random.Random(1).randbytes(50_000), "it is no text"),
        (b"a,b\n1,2\n1\n\n1,2,3\n1,2,3,4\n9\n8,8,8,8,8\n", "no single table"),
    ],
    ids=["nothing", "noise", "several tables"],
)
def test_what_is_no_table_is_said_to_be_none(tmp_path: Path, data: bytes, said: str) -> None:
    found = source(tmp_path, "a.csv", data)
    assert found.tables == ()
    assert said in (found.trouble or "")


def test_names_without_rows_are_a_table_of_which_no_types_are_known(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,name\n")
    assert (found.rows, types(found)) == (0, {"id": "string", "name": "string"})
    note(found, "rows")


def test_one_column_is_a_table(tmp_path: Path) -> None:
    found: TableFacts = table(tmp_path, "a.csv", "name\na\nb\n")
    assert found.key == ("name",)


def test_ten_thousand_columns_and_a_huge_field_are_read(tmp_path: Path) -> None:
    wide = ",".join(f"c{n}" for n in range(10_000)) + "\n" + ",".join(map(str, range(10_000)))
    assert len(table(tmp_path, "wide.csv", wide).columns) == 10_000
    assert table(tmp_path, "huge.csv", f"id,text\n1,{'x' * (5 << 20)}\n2,y\n").rows == 2


def test_what_a_file_says_moves_no_cursor(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "\x1b[2Jpreamble\nid,name\n1,a\n2,b\n3,c\n")
    said = note(found, "skip_lines").text
    assert "preamble" in said
    assert said.isprintable()
