"""``show`` on the command line: the state of a recipe is told, and what to type next."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.project import Project

REPOSITORY = Path(__file__).parent.parent.parent
RECIPE = "recipes/places"


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A project that was never built."""
    return Project.create(tmp_path / "project", tmp_path / "store", REPOSITORY / "environments")


def shown(project: Project, *arguments: str) -> dict[str, Any]:
    answer = project.run("show", "--json", *arguments)
    assert answer.status == 0, answer.err
    (result,) = answer.json["results"]
    return dict(result)


def next_of(notes: list[dict[str, str]]) -> list[str]:
    return [note["next"] for note in notes]


def test_a_recipe_that_was_never_built_is_shown_with_what_to_type(bare: Project) -> None:
    record = shown(bare, RECIPE)
    assert next_of(record["notes"]) == [f"d4cbuild lock {RECIPE}", f"d4cbuild build {RECIPE}"]
    (output,) = record["outputs"]
    assert [column["name"] for column in output["declared"]] == ["id", "name"]
    assert output["table"] is None
    answer = bare.run("show", "--html", "page.html", RECIPE)
    assert answer.status == 0, answer.err
    page = (bare.root / "page.html").read_text()
    assert "Lieux et nombres." in page
    assert f"d4cbuild build {RECIPE}" in page


def test_a_built_recipe_is_shown_from_dist_or_the_store_or_not_at_all(project: Project) -> None:
    project.built()
    (output,) = shown(project, RECIPE)["outputs"]
    assert output["found"] == "dist"
    assert output["notes"] == []
    assert output["table"]["rows"] == 3
    file = project.root / "dist" / output["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == output["sha256"].removeprefix("sha256:")

    changed = file.read_bytes()
    file.write_bytes(changed[:50] + bytes([changed[50] ^ 1]) + changed[51:])
    (other,) = shown(project, RECIPE)["outputs"]
    assert other["found"] == "the store"
    assert "other bytes" in other["notes"][0]["says"]
    assert other["table"] == output["table"]

    file.unlink()
    (stored,) = shown(project, RECIPE)["outputs"]
    assert (stored["found"], stored["notes"]) == ("the store", [])

    (gone,) = shown(Project(project.root, project.root / "empty"), RECIPE)["outputs"]
    assert (gone["found"], gone["table"]) == (None, None)
    assert next_of(gone["notes"]) == [f"d4cbuild build {RECIPE}"]


def test_text_json_and_page_of_a_manifest_say_the_same(project: Project) -> None:
    project.built()
    manifest = f"{RECIPE}/manifest.json"
    (output,) = shown(project, manifest)["outputs"]
    answer = project.run("show", manifest, "--html", "page.html")
    page = (project.root / "page.html").read_text()
    for digest in ("sha256", "blake3", "md5"):
        assert output[digest] in answer.out
        assert output[digest].partition(":")[2] in page
    assert "3 different" in answer.out
    renamed = project.root / "ca_test_manifest.json"
    renamed.write_bytes((project.root / manifest).read_bytes())
    assert shown(project, renamed.name)["kind"] == "manifest"


def test_a_bundle_is_shown_from_what_is_in_it(project: Project) -> None:
    project.built()
    answer = project.run("bundle", "--json", RECIPE)
    assert answer.status == 0, answer.err
    (bundle,) = (project.root / "dist" / "bundles").iterdir()
    elsewhere = Project(project.root.parent, project.root / "empty")
    record = shown(elsewhere, str(bundle))
    (output,) = record["outputs"]
    assert (record["kind"], output["found"]) == ("manifest", bundle.name)
    assert output["table"]["rows"] == 3


def test_a_changed_recipe_is_told_to_be_locked_again(project: Project) -> None:
    project.built()
    project.edit("recipe.toml", 'en = "Places"', 'en = "Other places"')
    record = shown(project, RECIPE)
    assert next_of(record["notes"]) == [f"d4cbuild lock {RECIPE}"]
    assert record["dataset"]["title"]["en"] == "Other places"


def test_a_site_has_a_page_for_every_recipe_and_a_list(bare: Project) -> None:
    bare.add_recipe("second")
    answer = bare.run("show", "--all", "--html", "site")
    assert answer.status == 0, answer.err
    site = bare.root / "site"
    assert {path.name for path in site.iterdir()} == {"index.html", "places.html", "second.html"}
    assert 'href="second.html"' in (site / "index.html").read_text()


def test_a_recipe_with_a_fault_keeps_no_other_from_its_page(bare: Project) -> None:
    (bare.add_recipe("second") / "recipe.toml").write_text("schema = 7")
    answer = bare.run("show", "--all", "--html", "site")
    assert answer.status == 64
    assert {path.name for path in (bare.root / "site").iterdir()} == {"index.html", "places.html"}


def test_a_file_is_shown_outside_of_any_project(tmp_path: Path, bare: Project) -> None:
    outside = Project(tmp_path, bare.store)
    pq.write_table(pa.table({"a\x1b[31m": ["x\u202e", "\x07"]}), tmp_path / "t.parquet")
    answer = outside.run("show", "t.parquet")
    assert answer.status == 0, answer.err
    assert "\\x1b" in answer.out
    assert "\x07" not in answer.out
    assert "\u202e" not in answer.out
    (tmp_path / "t.json").write_text(json.dumps({"schema": "other"}))
    assert shown(outside, "t.json")["kind"] == "file"
    assert not bare.store.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing/there",), "nothing/there"),
        ((), "no recipe is named"),
        (("recipes",), "recipe.toml"),
        (("--html", "no/folder/page.html", RECIPE), "no/folder"),
        (("--html", "recipes", RECIPE), "recipes"),
        (("--html", "site", RECIPE, "recipes/places/process.py"), "process.py"),
        (("--html", "README", "--all"), "README"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_shown_exits_64(
    arguments: tuple[str, ...], said: str, bare: Project
) -> None:
    (bare.root / "README").write_text("x")
    answer = bare.run("show", *arguments)
    assert answer.status == 64
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_broken_manifest_is_named(bare: Project) -> None:
    (bare.recipe / "manifest.json").write_text("{}")
    answer = bare.run("show", RECIPE)
    assert answer.status == 64
    assert "manifest.json" in answer.err
