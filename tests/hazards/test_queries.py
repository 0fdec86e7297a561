"""Hazards in the SQL of steps, each at its line in recipe.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

import d4cbuild
from d4cbuild.hazards.code_files import file_findings
from d4cbuild.hazards.queries import queries_in
from d4cbuild.hazards.toml_places import toml_places
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.project import RECIPE, Project

READ = '[[build.steps]]\nstep = "read"\nsource = "places.csv"\n'
GOOD = RECIPE.format(id="places").replace('command = ["python", "process.py"]\n', "")


def _text(query: str) -> str:
    steps = f'{READ}[[build.steps]]\nstep = "sql"\n{query}\n\n'
    return GOOD.replace("[parameters]", f"{steps}[parameters]", 1)


def _spots(text: str) -> set[tuple[int, int, str]]:
    recipe = record_from_toml(Recipe, text.encode(), "recipe.toml")
    found = queries_in(recipe, toml_places(text))
    assert found.unread == []
    return {(spot.line, spot.column, spot.hazard) for spot in found.spots}


@pytest.mark.parametrize(
    "query",
    [
        'query = "SELECT any_value(id) AS id FROM places"',
        'query = """SELECT any_value(id) AS id FROM places"""',
        'query = """\nSELECT\n  any_value(id) AS id\nFROM places"""',
        "query = '''\nSELECT any_value(id) AS id\nFROM places\n'''",
        "query = '''SELECT 1 AS one,\n any_value(id) AS id FROM places'''",
    ],
)
def test_a_hazard_is_found_where_it_stands(query: str) -> None:
    text = _text(query)
    (line,) = [n for n, each in enumerate(text.splitlines(), 1) if "any_value" in each]
    column = text.splitlines()[line - 1].index("id)") + 1  # where what is picked stands
    assert _spots(text) == {(line, column, "unordered-pick")}


@pytest.mark.parametrize(
    "query", ['query = "SELECT * FROM places"', 'query = "SELECT sum(id::DOUBLE) FROM places"']
)
def test_rows_need_no_order_and_there_is_one_thread(query: str) -> None:
    assert _spots(_text(query)) == set()


def test_a_comment_in_the_query_allows_a_hazard(project: Project) -> None:
    query = "query = '''\n-- d4c: allow unordered-pick: all are the same\n"
    text = _text(f"{query}SELECT any_value(id) AS id FROM places'''")
    (project.recipe / "recipe.toml").write_text(text)
    (project.recipe / "process.py").unlink()
    (result,) = project.run("check", "--json", "recipes/places").json["results"]
    hazards = [each for each in result["findings"] if each["name"] == "unordered-pick"]
    assert [each["allowed"] for each in hazards] == ["all are the same"]


def test_sql_that_cannot_be_read_is_said(project: Project) -> None:
    (project.recipe / "recipe.toml").write_text(_text('query = "SELECT ) FROM"'))
    (project.recipe / "process.py").unlink()
    (result,) = project.run("check", "--json", "recipes/places").json["results"]
    assert "sql-syntax" in [each["name"] for each in result["findings"]]


STEPS = Path(d4cbuild.__file__).parent / "steps"


@pytest.mark.parametrize("path", sorted(STEPS.glob("*.py")), ids=lambda path: path.name)
def test_the_steps_themselves_have_no_hazards(path: Path) -> None:
    found = file_findings(path.name, path.read_bytes(), path.name)
    assert [str(each) for each in found if each.allowed is None] == []
