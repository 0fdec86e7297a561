"""Types, values that are none, and keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.looking.found import note, table, types


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "255"], "uint8"),
        (["0", "256"], "uint16"),
        (["-1", "127"], "int8"),
        (["-129", "5"], "int16"),
        (["5000000000", "1"], "uint64"),
        (["0123", "0456"], "string"),
        (["1", "x1"], "string"),
        (["1.5", "2"], "float64"),
        (["4806016.0", "5915022.0"], "uint32"),
        (["true", "false"], "boolean"),
        (["2020-01-31", "2021-02-28"], "date"),
        (["2020-01-31 00:00:00", "2021-02-28 00:00:00"], "date"),
        (["2020-01-31T05:06", "2021-02-28T00:00"], "timestamp"),
        (["2020-01-31T05:06:07Z", "2021-02-28T00:00:00-05:00"], "timestamp_utc"),
        (["05:06", "23:59"], "time"),
        (["05:06", "25:10"], "string"),
        (["2020-02-30", "2020-01-01"], "string"),
        (["1 234,50", "12,25"], "float64"),
        (["1\u202f234", "12\u202f345"], "uint16"),
        (["1\u00a0234,5", "7"], "float64"),
        (["18446744073709551616", "1"], "float64"),
    ],
)
def test_the_narrowest_type_that_holds_all_values_is_taken(
    tmp_path: Path, values: list[str], kind: str
) -> None:
    found = table(tmp_path, "a.csv", "x;y\n" + "".join(f"{v};{n}\n" for n, v in enumerate(values)))
    assert types(found)["x"] == kind


@pytest.mark.parametrize(("true", "false"), [("Y", "N"), ("Oui", "Non"), ("yes", "no")])
def test_words_for_yes_and_no_are_boolean_and_said(tmp_path: Path, true: str, false: str) -> None:
    found = table(tmp_path, "a.csv", f"id,ok\n1,{true}\n2,{false}\n3,{true}\n")
    assert types(found)["ok"] == "boolean"
    assert note(found, "ok").confidence == 80


def test_one_word_alone_is_text(tmp_path: Path) -> None:
    assert types(table(tmp_path, "a.csv", "id,ok\n1,Y\n2,Y\n"))["ok"] == "string"


@pytest.mark.parametrize(
    ("days", "pattern"),
    [(["13/01/2020", "01/02/2020"], "%d/%m/%Y"), (["01/13/2020", "02/01/2020"], "%m/%d/%Y")],
)
def test_dates_that_can_be_read_in_one_way_only_are_read_so(
    tmp_path: Path, days: list[str], pattern: str
) -> None:
    found = table(tmp_path, "a.csv", "id,d\n" + "".join(f"{n},{d}\n" for n, d in enumerate(days)))
    assert types(found)["d"] == "date"
    assert pattern in note(found, "d").text


def test_dates_that_can_be_read_in_two_ways_stay_text_and_have_to_be_decided(
    tmp_path: Path,
) -> None:
    found = table(tmp_path, "a.csv", "id,d\n1,01/02/2020\n2,03/04/2020\n")
    assert types(found)["d"] == "string"
    assert note(found, "d").confidence is None
    assert "%d/%m/%Y" in (note(found, "d").write or "")
    assert "%m/%d/%Y" in (note(found, "d").write or "")


def test_digits_are_dates_only_under_a_name_of_dates(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "start_date,permit\n20200131,20200131\n20200228,20200228\n")
    assert types(found) == {"start_date": "date", "permit": "uint32"}


def test_a_comma_before_three_digits_stays_text_and_has_to_be_decided(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", 'id,n\n1,"1,234"\n2,"5,678"\n')
    assert types(found)["n"] == "string"
    assert note(found, "n").confidence is None


def test_amounts_of_money_are_exact(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,cost\n1,12.50\n2,1234.75\n")
    assert types(found)["cost"] == "decimal(6,2)"


def test_marks_for_no_value_are_null_in_numbers_and_stay_in_text(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,n,t\n1,..,NA\n2,3.5,a\n3,x,b\n")
    nulls = {column.name: column.nulls for column in found.columns}
    assert (types(found)["n"], nulls) == ("float64", {"id": 0, "n": 2, "t": 0})
    assert "'..', 'x'" in note(found, "n").text


def test_codes_of_one_length_are_kept_as_text_and_said(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "code,n\n10,1\n11,2\n")
    assert types(found)["code"] == "string"
    assert "uint8" in (note(found, "code").write or "")


def test_labels_that_would_be_one_number_are_kept_as_text(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "coordinate,n\n1.1,1\n1.10,2\n1.2,3\n")
    assert types(found)["coordinate"] == "string"


def test_a_column_without_values_is_kept_and_said(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,empty\n1,\n2,\n")
    assert types(found)["empty"] == "string"
    assert "empty" in note(found, "columns").text


def test_white_space_at_the_ends_is_cut_and_said(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "id,poll\n1, 1A\n2, 2\n")
    assert found.columns[1].max == "2"
    assert "'poll'" in note(found, "trim").text


def test_a_key_prefers_names_of_ids(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "name,station_id\na,3\nb,1\nc,2\n")
    assert found.key == ("station_id",)
    assert ("name",) in found.candidates


def test_a_key_may_need_several_columns(tmp_path: Path) -> None:
    rows = [f"{day},{place},{day * 7 % 3}" for day in range(5) for place in "abc"]
    found = table(tmp_path, "a.csv", "day,place,n\n" + "\n".join(rows) + "\n")
    assert (found.key, found.repeated) == (("day", "place"), 0)


def test_rows_that_are_alike_in_all_have_to_be_decided(tmp_path: Path) -> None:
    found = table(tmp_path, "a.csv", "a,b\n1,x\n1,x\n2,y\n")
    assert (found.key, found.repeated) == (("a", "b"), 1)
    assert note(found, "sort_by").confidence is None
    assert "SELECT DISTINCT" in (note(found, "sort_by").write or "")
