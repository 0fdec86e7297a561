"""Broken recipes of every kind: what is told, where, and what to do about it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.faults.reading import read_recipe
from d4cbuild.hazards.recipe import recipe_spots
from tests.check.broken import BROKEN, WARNED, Broken
from tests.project import Answer, Project

REPOSITORY = Path(__file__).parent.parent.parent
GOLDEN = Path(__file__).with_name("golden")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _bytes(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


# What is no text, or no file: how it is made, and the fault and line that must be told.
HOSTILE: dict[str, tuple[Callable[[Path], None], tuple[str, int]]] = {
    "no-file": (Path.unlink, ("missing-recipe", 1)),
    "folder-instead-of-file": (_folder, ("missing-recipe", 1)),
    "empty-file": (_bytes(b""), ("missing-recipe", 1)),
    "nothing-but-blanks": (_bytes(b"\n\n  \n"), ("missing-recipe", 1)),
    "nul-bytes": (_bytes(b'schema = "d4c.recipe/1"\n\n\0\0\0'), ("syntax", 3)),
    "not-utf-8": (_bytes(b'schema = "d4c.recipe/1"\n# caf\xe9\n'), ("encoding", 2)),
    "utf-16": (_bytes("schema = 1".encode("utf-16")), ("encoding", 1)),
    "a-picture": (_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("encoding", 1)),
    "too-large": (_bytes(b"#" * ((16 << 20) + 1)), ("syntax", 1)),
    "json-instead": (_bytes(b'{\n  "schema": "d4c.recipe/1"\n}\n'), ("syntax", 1)),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a folder for each of the broken recipes."""
    root = tmp_path_factory.mktemp("broken")
    made = Project.create(root / "project", root / "store", REPOSITORY / "environments")
    for name, broken in {**BROKEN, **WARNED}.items():
        folder = made.add_recipe(name)
        (folder / "recipe.toml").write_bytes(broken.text(name).encode())
    for name, (make, _) in HOSTILE.items():
        make(made.add_recipe(name) / "recipe.toml")
    return made


def _checked(project: Project, names: list[str]) -> tuple[Answer, dict[str, list[dict[str, Any]]]]:
    answer = project.run("check", "--json", *(f"recipes/{name}" for name in names))
    assert answer.err == ""
    assert [Path(each["recipe"]).name for each in answer.json["results"]] == names
    return answer, {
        name: [each for each in result["findings"] if each["file"].endswith("/recipe.toml")]
        for name, result in zip(names, answer.json["results"], strict=True)
    }


@pytest.fixture(scope="module")
def told(project: Project) -> dict[str, list[dict[str, Any]]]:
    """What is told of each recipe that is wrong."""
    answer, told = _checked(project, [*BROKEN, *HOSTILE])
    assert answer.status == 64
    return told


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_is_told_at_its_line_and_nothing_else(
    name: str, told: dict[str, list[dict[str, Any]]]
) -> None:
    found = sorted((each["name"], each["line"]) for each in told[name])
    assert found == BROKEN[name].lines(name)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_recipe_is_told_at_its_line(
    name: str, told: dict[str, list[dict[str, Any]]]
) -> None:
    assert [(each["name"], each["line"]) for each in told[name]] == [HOSTILE[name][1]]


def test_each_has_an_error_with_a_place_and_a_next_step(
    told: dict[str, list[dict[str, Any]]],
) -> None:
    for name, findings in told.items():
        assert "error" in {each["level"] for each in findings}, name
        for each in findings:
            assert each["line"] > 0 and each["column"] > 0, name
            assert each["remedy"].strip() and each["message"].strip(), name


def test_each_recipe_alone_ends_with_64(project: Project) -> None:
    for name in ("no-file", "nested-20000-deep", "version-of-two"):
        answer = project.run("check", f"recipes/{name}")
        assert (answer.status, answer.err) == (64, "")


def test_what_keeps_nothing_from_working_is_a_warning(project: Project) -> None:
    answer, told = _checked(project, list(WARNED))
    assert answer.status == 0
    for name, broken in WARNED.items():
        assert [(each["name"], each["line"]) for each in told[name]] == broken.lines(name)
        assert {each["level"] for each in told[name]} == {"warning"}
        assert all(each["remedy"].strip() for each in told[name])


def test_the_texts_are_golden(project: Project) -> None:
    names = [*BROKEN, *WARNED, *HOSTILE]
    answer = project.run("check", *(f"recipes/{name}" for name in names))
    assert "Traceback" not in answer.out + answer.err
    texts = _by_recipe(answer.out)
    assert list(texts) == names
    if os.environ.get("D4C_ACCEPT") == "1":
        for path in GOLDEN.glob("*.txt"):
            path.unlink()
        for name, text in texts.items():
            (GOLDEN / f"{name}.txt").write_text(text)
    assert texts == {path.stem: path.read_text() for path in GOLDEN.glob("*.txt")}


def _by_recipe(out: str) -> dict[str, str]:
    """What is said of each recipe, without its missing lock and manifest, which all have."""
    texts = {}
    for part in re.split(r"(?<=allowed)\n", out.strip("\n")):
        name = part.splitlines()[-1].split(": ")[0].removeprefix("recipes/")
        same = rf"recipes/{name}/(recipe\.lock|manifest\.json):1:1: .*\n    .*\n"
        texts[name] = re.sub(same, "", f"{part}\n")
    return texts


def test_a_good_recipe_has_nothing_to_be_told(project: Project) -> None:
    assert _checked(project, ["places"])[1] == {"places": []}


MANY = (
    ('id = "places"', 'id = "Places"'),
    ('region = "ca"\n', ""),
    ('en = "Places with counts."', 'en = "TODO"'),
    ("[[sources]]", "[[sources]]\nlicens = 1"),
    ('["python", "process.py"]', '["python", "proces.py"]'),
    ('environment = "geo"', 'environment = "geology"'),
    ('sort_by = ["id"]', 'sort_by = ["nr"]'),
    ('"https://example.invalid/places.csv"', '"http://example.invalid/latest/places.csv"'),
    ('type = "string"', 'type = "text"'),
)


def test_everything_is_told_at_once_whatever_else_is_wrong(project: Project) -> None:
    folder = project.add_recipe("many")
    name = "many"
    text = Broken((('id = "many"', 'id = "places"'), *MANY), ()).text(name)
    (folder / "recipe.toml").write_text(text)
    (folder / "process.py").write_text("import time\nprint(time.time())\n")
    found = {(each["name"], each["line"]) for each in _checked(project, [name])[1][name]}
    lines = text.splitlines()
    assert found == {
        (fault, next(n for n, line in enumerate(lines, 1) if mark in line))
        for fault, mark in (
            ("naming", 'id = "Places"'),
            ("missing-field", "[dataset]"),
            ("unfinished", 'en = "TODO"'),
            ("unknown-key", "licens ="),
            ("missing-file", "proces.py"),
            ("environment", "geology"),
            ("contradiction", '"nr"'),
            ("plain-http", "http://"),
            ("moving-address", "http://"),
            ("wrong-value", 'type = "text"'),
        )
    }
    everything = json.loads(project.run("check", "--json", "recipes/many").out)
    assert {each["name"] for each in everything["results"][0]["findings"]} >= {
        *("clock", "missing-lock", "missing-manifest"),
    }


# Each hides something of the whole record from its reader: the rest must be told all the same.
HIDING = (
    ('sort_by = ["id"]', "sort_by = 2020-01-01"),
    ('sort_by = ["id"]', 'sort_by = ["nr"]'),
    ('region = "ca"', 'region = "ca"\nkeywords = { en = "a", fr = ["b"] }'),
    ('command = ["python", "process.py"]', 'steps = [{ step = "none" }]'),
    ('name = "places"\n', "name = 1\n"),
    ('[[outputs.columns]]\nname = "id"', "[[outputs.columns]]\nname = 1"),
    ("rows = { min = 1, max = 10 }", "rows = 5"),
    ("[parameters]", "[parameters.a.b]\nc = nan\n[parameters.d]"),
    ("[[sources]]", "[[sources]]\n[sources.x]\ny = 1\n[[sources]]"),
    ("[dataset]", "[dataset.title]\nen = 1\n[data]"),
)


@pytest.mark.parametrize("edit", HIDING)
def test_one_mistake_does_not_hide_another(edit: tuple[str, str], tmp_path: Path) -> None:
    other = (('"https://example', '"http://example'), ("60s", "60 parsecs"))
    text = Broken((edit, *other), ()).text("places")
    reading = read_recipe(tmp_path / "recipe.toml", "places", text.encode())
    assert reading.guess is not None
    assert "build.resources.time" in " ".join(each.message for each in reading.findings)
    if "sources" not in edit[0]:
        assert "plain-http" in {each.hazard for each in recipe_spots(reading.guess, reading.places)}
