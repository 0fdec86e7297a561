"""Recipes without code: their steps are run as code, and become code that is the same."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from d4cbuild.base.archive import read_canonical_tar
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.plan import plan_locked
from d4cbuild.build.stepping import is_of_steps, process_of
from d4cbuild.errors import InputError
from d4cbuild.model.parse import record_from_toml
from d4cbuild.model.recipe import Recipe
from tests.project import RECIPE, Project

STEPS = """
# Read as text; the declared types do the rest.
[[build.steps]]
step = "read"
source = "places.csv"

[[build.steps]]
step = "sql"
query = '''
SELECT * FROM places
WHERE id::INT > $least
'''

"""
COMMAND = 'command = ["python", "process.py"]\n'
TABLES = RECIPE.replace(COMMAND, "").replace(
    '[parameters]\ngreeting = "hello"\n', f"{STEPS}[parameters]\nleast = 1\n"
)
INLINE = RECIPE.replace(
    COMMAND,
    'steps = [ # two\n  {{ step = "read", source = "places.csv" }},\n'
    '  {{ step = "columns", rename = {{ id = "id" }} }},\n]\n',
)


def with_recipe(project: Project, text: str) -> Project:
    """The project, its recipe without code."""
    (project.recipe / "recipe.toml").write_text(text.format(id="places"))
    (project.recipe / "process.py").unlink()
    project.commit("Use steps")
    return project


def read(text: str) -> Recipe:
    return record_from_toml(Recipe, text.format(id="places").encode(), "recipe.toml")


def outputs(project: Project) -> list[dict[str, Any]]:
    manifest = json.loads((project.recipe / "manifest.json").read_text())
    return list(manifest["outputs"])


def test_steps_are_built_and_verified_like_any_code(project: Project) -> None:
    with_recipe(project, TABLES).built()
    (path,) = (project.root / "dist").glob("*.parquet")
    assert pq.read_table(path).to_pydict() == {"id": [2, 3], "name": ["Trois-Rivières", "Iqaluit"]}
    answer = project.run("verify", "recipes/places")
    assert answer.status == 0, answer.err
    assert "identical" in answer.out


def test_what_is_ejected_is_the_code_that_was_run(project: Project) -> None:
    with_recipe(project, TABLES).built()
    before = plan_locked(RecipeFolder(project.recipe)), outputs(project)
    answer = project.run("eject", "recipes/places", "--json")
    assert answer.status == 0, answer.err
    assert set(answer.json["results"][0]["files"]) == {"process.py", "d4c_steps/", "recipe.toml"}
    project.commit("Eject")
    project.built()
    after = plan_locked(RecipeFolder(project.recipe)), outputs(project)
    assert after[0].code.digest == before[0].code.digest
    assert after[0].derivation.command == before[0].derivation.command
    assert after[0].own_code.digest == after[0].code.digest
    assert after[1] == before[1]


@pytest.mark.parametrize("text", [TABLES, INLINE], ids=["tables", "inline"])
def test_nothing_but_the_steps_is_changed_in_the_recipe(project: Project, text: str) -> None:
    with_recipe(project, text)
    before = tomllib.loads((project.recipe / "recipe.toml").read_text())
    assert project.run("eject", "recipes/places").status == 0
    written = (project.recipe / "recipe.toml").read_text()
    after = tomllib.loads(written)
    assert after["build"].pop("command") == ["python3", "process.py"]
    del before["build"]["steps"]
    assert after == before
    command = 'command = ["python3", "process.py"]'
    rest = iter(written.replace("least = 1", 'greeting = "hello"').splitlines())
    assert command in written.splitlines()
    assert all(
        line in rest for line in RECIPE.replace(COMMAND, "").format(id="places").splitlines()
    )


def test_a_recipe_with_code_has_nothing_to_eject(project: Project) -> None:
    answer = project.run("eject", "recipes/places")
    assert answer.status == 64
    assert "has no steps" in answer.err


def test_steps_that_cannot_be_told_from_a_text_are_left_alone(project: Project) -> None:
    trap = TABLES.replace("WHERE id::INT > $least", "[parameters]\nWHERE id::INT > $least")
    with_recipe(project, trap)
    before = sorted(path.name for path in project.recipe.iterdir())
    answer = project.run("eject", "recipes/places")
    assert answer.status == 64
    assert "could not be taken out" in answer.err
    assert sorted(path.name for path in project.recipe.iterdir()) == before
    assert (project.recipe / "recipe.toml").read_text() == trap.format(id="places")


@pytest.mark.parametrize("name", ["process.py", "d4c_steps/__init__.py"])
def test_code_in_the_way_of_steps_is_refused(project: Project, name: str) -> None:
    with_recipe(project, TABLES)
    (project.recipe / name).parent.mkdir(exist_ok=True)
    (project.recipe / name).write_text("print()\n")
    project.commit("Add a file")
    for verb in (("build", "--dirty"), ("eject",)):
        answer = project.run(*verb, "recipes/places")
        assert answer.status == 64, answer.err
        assert name in answer.err
        assert "steps, and code as well" in answer.err


def test_a_step_that_refuses_says_why_and_what_to_write(project: Project) -> None:
    with_recipe(project, TABLES.replace('step = "read"', 'step = "read"\nsheet = "x"'))
    answer = project.run("build", "--dirty", "recipes/places")
    assert answer.status == 1
    assert "for which these mean nothing" in answer.err
    assert "Traceback" not in answer.err


def test_a_bundle_holds_the_steps_as_code_and_is_rebuilt_from_it(
    project: Project, tmp_path: Path
) -> None:
    with_recipe(project, TABLES).built()
    answer = project.run("bundle", "recipes/places", "--output", str(tmp_path / "out"))
    assert answer.status == 0, answer.err
    (bundle,) = (tmp_path / "out").iterdir()
    answer = project.run("verify", str(bundle))
    assert answer.status == 0, answer.err
    assert "identical" in answer.out


def test_a_single_output_is_what_the_last_step_made(project: Project) -> None:
    assert read(TABLES).flow().outputs == {"places": "sql"}  # type: ignore[union-attr]


def test_other_steps_are_another_build_and_other_words_are_not(project: Project) -> None:
    with_recipe(project, TABLES).locked()
    first = plan_locked(RecipeFolder(project.recipe))
    names = [entry.name for entry in read_canonical_tar(first.code.tar)]
    assert all(is_of_steps(name) for name in names)
    project.edit("recipe.toml", "# Read as text", "# All is text")
    assert plan_locked(RecipeFolder(project.recipe)).key == first.key
    project.edit("recipe.toml", "WHERE id::INT > $least", "WHERE id::INT >= $least")
    project.commit("Change a step")
    project.locked()
    assert plan_locked(RecipeFolder(project.recipe)).key != first.key


QUERIES = [
    "SELECT * FROM places",
    "SELECT *\nFROM places",
    'SELECT """a\nb""" FROM places',
    "SELECT 'a\\b'\nFROM places",
    'SELECT *\nFROM "places"',
    "SELECT '\u2028\x7f'\nFROM places",
]


@pytest.mark.parametrize("query", QUERIES)
def test_steps_are_written_as_python_that_means_the_same(query: str) -> None:
    recipe = read(TABLES)
    assert recipe.build.steps is not None
    steps = (recipe.build.steps[0], recipe.build.steps[1].model_copy(update={"query": query}))
    build = recipe.build.model_copy(update={"steps": steps})
    recipe = recipe.model_copy(update={"build": build})
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    class Tables:
        def __getattr__(self, name: str) -> Any:
            return lambda *a, **k: calls.append((name, a, k))

    source = process_of(recipe).replace("from d4c_steps import Tables\n", "")
    exec(compile(source, "process.py", "exec"), {"Tables": Tables})  # noqa: S102 - what we wrote ourselves
    assert [name for name, _, _ in calls] == ["read", "sql", "write"]
    assert calls[1][1] == (query,)
    assert calls[2][2]["types"] == {"id": "int16", "name": "string"}


WRONG = {
    "no source": ('source = "places.csv"', 'source = "place.csv"', "build.steps[0].source"),
    "no kind": ('step = "sql"', 'step = "squirrel"', "build.steps[1]"),
    "no option": ('step = "sql"', 'step = "sql"\nsort = 1', "build.steps[1].sort"),
    "no column": ('step = "read"', 'step = "read"\ndelimiter = ";;"', "build.steps[0].delimiter"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_in_a_step_is_named_by_its_place(case: str) -> None:
    old, new, path = WRONG[case]
    with pytest.raises(InputError) as caught:
        read(TABLES.replace(old, new))
    assert caught.value.found is not None
    assert caught.value.found.startswith(f"{path}:")
