"""What the recipes of real files turned out to need of the steps."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from d4cbuild.steps.columns import change_columns
from d4cbuild.steps.reading import read_source
from tests.project import Answer, Project
from tests.steps.raw import read, refused, texts, workbook

COMMAND = 'command = ["python", "process.py"]\n'
STEPS = """
[[build.steps]]
step = "read"
source = "places.csv"

[[build.steps]]
step = "check"
query = "SELECT id, name FROM places WHERE name LIKE $greeting ORDER BY id"
wrong = "places are named after a greeting"

[parameters]
"""
FOOTED = workbook({"Places": [["id", "name"], [3, "Iqaluit"], [], ["Total", 1]]})


def checked(project: Project, greeting: str) -> Answer:
    """Build the small recipe by steps, with a check."""
    (project.recipe / "process.py").unlink()
    project.edit("recipe.toml", COMMAND, "")
    project.edit("recipe.toml", "[parameters]\n", STEPS)
    project.edit("recipe.toml", '"hello"', f'"{greeting}"')
    return project.run("build", "--dirty", "recipes/places")


def test_a_check_that_finds_no_rows_changes_nothing(project: Project) -> None:
    answer = checked(project, "hello")
    assert answer.status == 0, answer.err


def test_a_check_that_finds_rows_stops_the_build_and_shows_them(project: Project) -> None:
    answer = checked(project, "%o%")
    assert answer.status == 1
    assert "places are named after a greeting" in answer.err
    assert "2, with id, name: ('1', 'Moncton'), ('2', 'Trois-Rivières')" in answer.err


@pytest.mark.parametrize(
    ("options", "columns"),
    [({"names": ["label", "total"]}, ["label", "total"]), ({}, ["column_1", "column_2"])],
    ids=["given", "numbered"],
)
def test_cells_without_names_are_given_names(
    options: dict[str, list[str]], columns: list[str], tmp_path: Path
) -> None:
    found = read(tmp_path, "a.xlsx", FOOTED, range="A4:B4", header=False, **options)
    assert found == {columns[0]: ["Total"], columns[1]: ["1"]}


def test_names_may_stand_in_for_those_of_a_workbook(tmp_path: Path) -> None:
    found = read(tmp_path, "a.xlsx", FOOTED, range="A1:B2", names=["number", "place"])
    assert found == {"number": ["3"], "place": ["Iqaluit"]}


def test_names_for_another_number_of_cells_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(FOOTED)
    text = refused(read_source, tmp_path / "a.xlsx", range="A4:B4", header=False, names=["label"])
    assert "has 2 columns there, and names are given for 1" in text


def test_a_zone_moves_instants_and_no_wall_clock() -> None:
    table = texts(local=["1987-12-31 23:00"], utc=["1987-12-31 23:00"])
    found = change_columns(
        table,
        types={"local": "timestamp", "utc": "timestamp_utc"},
        formats=dict.fromkeys(("local", "utc"), "%Y-%m-%d %H:%M"),
        zone="-06:00",
    )
    moment = datetime.datetime(1988, 1, 1, 5, tzinfo=datetime.UTC)
    assert found.to_pylist() == [{"local": datetime.datetime(1987, 12, 31, 23), "utc": moment}]


def test_a_path_that_finds_no_elements_is_refused_also_where_columns_are_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.xml").write_text('<a xmlns="http://example.org/2.2"><b>1</b></a>')
    wrong = {"k": "http://example.org/2.1"}
    options = {"records": "//k:b", "namespaces": wrong, "columns": {"b": "text()"}}
    text = refused(read_source, tmp_path / "a.xml", **options)
    assert "a.xml has no records there" in text
