"""`d4cbuild check`, as it is typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from d4cbuild.build.checking import check_recipe
from d4cbuild.build.folder import RecipeFolder
from tests.project import Answer, Project

REPOSITORY = Path(__file__).parent.parent.parent
REAL = sorted(path.parent.name for path in (REPOSITORY / "recipes").glob("*/recipe.toml"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one recipe; nothing is built, so no image is needed."""
    return Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")


def _names(answer: Answer) -> list[tuple[str, int, str, str]]:
    return [
        (Path(each["file"]).name, each["line"], each["level"], each["name"])
        for result in answer.json["results"]
        for each in result["findings"]
    ]


NOT_BUILT = [
    ("manifest.json", 1, "warning", "missing-manifest"),
    ("recipe.lock", 1, "warning", "missing-lock"),
]


@pytest.mark.parametrize("name", REAL)
def test_the_real_recipes_have_nothing_wrong_that_is_not_allowed(name: str) -> None:
    found = check_recipe(RecipeFolder(REPOSITORY / "recipes" / name))
    assert [str(each) for each in found if each.is_hazard and each.counts] == []
    # Files that may not be passed on are left out on purpose.
    passed = {"mirror", "missing-lock", "missing-manifest", "stale-lock"}
    others = [each for each in found if not each.is_hazard and each.name not in passed]
    assert [str(each) for each in others] == []


def test_a_new_recipe_has_only_its_lock_and_manifest_missing(project: Project) -> None:
    answer = project.run("check", "places", "--json")
    assert _names(answer) == NOT_BUILT
    assert (answer.status, answer.json["exit_code"]) == (0, 0)


def test_a_hazard_is_shown_with_line_reason_and_remedy(project: Project) -> None:
    project.edit("process.py", "import os\n", "import glob\nimport os\n")
    project.edit("process.py", "table = ", "first = glob.glob('*')[0]\ntable = ")
    answer = project.run("check", "recipes/places")
    head, remedy = _text_of(answer, "process.py")
    assert head.startswith("recipes/places/process.py:7:9: warning: unordered-listing: glob.glob()")
    assert "sorted(" in remedy
    assert answer.status == 0


def _text_of(answer: Answer, part: str) -> tuple[str, str]:
    lines = answer.out.splitlines()
    (index,) = [i for i, line in enumerate(lines) if f"/{part}:" in line]
    return lines[index], lines[index + 1]


def test_strict_makes_hazards_errors_unless_they_are_allowed(project: Project) -> None:
    project.edit("process.py", "table = ", "import time\nprint(time.time())\ntable = ")
    assert project.run("check", "places").status == 0
    assert project.run("check", "places", "--strict").status == 64
    project.edit("process.py", "print(time", "# d4c: allow clock: only in the log\nprint(time")
    answer = project.run("check", "places", "--strict")
    assert answer.status == 0
    head, reason = _text_of(answer, "process.py")
    assert ": allowed: clock: " in head
    assert reason == "    reason given: only in the log"


def test_everything_wrong_is_told_at_once(project: Project) -> None:
    project.edit("recipe.toml", 'version = "1.0.0"', 'version = "1"')
    project.edit("recipe.toml", 'type = "int16"', 'type = "integer"')
    project.edit("process.py", "table = ", "table == ")
    project.edit("process.py", "import os\n", "import os, time\nx = time.time()\n")
    (project.recipe / "more.py").write_text("def f(:\n")
    (project.recipe / "tables.sql").write_text("SELECT now();\n")
    (project.recipe / "recipe.lock").write_text("{")
    answer = project.run("check", "places", "--json")
    assert answer.status == 64
    lines = (project.recipe / "recipe.toml").read_text().splitlines()
    assert set(_names(answer)) >= {
        ("recipe.toml", lines.index('version = "1"') + 1, "error", "naming"),
        ("recipe.toml", lines.index('type = "integer"') + 1, "error", "wrong-value"),
        ("more.py", 1, "error", "python-syntax"),
        ("process.py", 2, "warning", "clock"),
        ("tables.sql", 1, "warning", "clock"),
        ("manifest.json", 1, "warning", "missing-manifest"),
    }
    assert answer.err == ""


def test_a_script_that_is_not_there_is_told(project: Project) -> None:
    (project.recipe / "process.py").rename(project.recipe / "other.py")
    answer = project.run("check", "places", "--json")
    assert ("recipe.toml", 22, "error", "missing-file") in _names(answer)
    assert answer.status == 64


def test_an_environment_that_is_not_there_is_told(project: Project) -> None:
    project.edit("recipe.toml", 'environment = "geo"', 'environment = "geology"')
    answer = project.run("check", "places", "--json")
    assert ("recipe.toml", 21, "error", "environment") in _names(answer)


def test_a_stale_lock_is_told_with_the_command_that_helps(project: Project) -> None:
    shutil.copy(REPOSITORY / "recipes" / "statcan-odhf" / "recipe.lock", project.recipe)
    answer = project.run("check", "places")
    assert answer.status == 64
    assert ": error: stale-lock: recipe.toml has changed since it was locked" in answer.out
    assert "    d4cbuild lock recipes/places" in answer.out


def test_a_lock_and_a_manifest_that_cannot_be_read_are_told(project: Project) -> None:
    (project.recipe / "recipe.lock").write_text('{"schema": "d4c.lock/1"}')
    (project.recipe / "manifest.json").write_bytes(b"\xff\x00")
    answer = project.run("check", "places", "--json")
    assert {each[0] for each in _names(answer) if each[2] == "error"} == {
        *("recipe.lock", "manifest.json"),
    }
    assert answer.status == 64


def test_a_link_in_the_code_is_told_and_the_rest_still_read(project: Project) -> None:
    (project.recipe / "link.py").symlink_to("process.py")
    project.edit("process.py", "table = ", "import uuid\nx = uuid.uuid4()\ntable = ")
    names = {name for _, _, _, name in _names(project.run("check", "places", "--json"))}
    assert names >= {"code", "uuid"}


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"schema = ", b"[[[[", b"x = {" * 2000])
def test_no_recipe_ends_in_a_traceback(project: Project, data: bytes) -> None:
    (project.recipe / "recipe.toml").write_bytes(data)
    answer = project.run("check", "places", "--json")
    assert answer.status == 64
    assert "Traceback" not in answer.err
    assert json.loads(answer.out)["results"][0]["findings"]


def test_a_folder_without_a_recipe_is_told(project: Project) -> None:
    (project.root / "recipes" / "empty").mkdir()
    answer = project.run("check", "empty", "--json")
    assert answer.status == 64
    assert ("recipe.toml", 1, "error", "missing-recipe") in _names(answer)


def test_all_recipes_are_checked_and_each_is_told(project: Project) -> None:
    project.add_recipe("towns")
    answer = project.run("check", "--all", "--json")
    assert [result["recipe"] for result in answer.json["results"]] == [
        *("recipes/places", "recipes/towns"),
    ]


def test_nothing_is_written_by_checking(project: Project) -> None:
    before = project.git("status", "--porcelain", "--ignored")
    project.run("check", "places")
    assert project.git("status", "--porcelain", "--ignored") == before
    assert not project.store.exists()
