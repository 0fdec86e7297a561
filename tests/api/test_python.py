"""d4cbuild from Python, as a program or notebook meets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import d4cbuild
from d4cbuild import D4CError, Verdict, build, open_manifest, verify
from d4cbuild.build.pipeline import build_recipe
from d4cbuild.errors import BuildFailed, InputError, StaleLock
from d4cbuild.store import Store
from tests.conftest import REPOSITORY
from tests.house.documents import Document
from tests.project import Project

HEAVY = ("blake3", "docker", "numpy", "pyarrow", "pydantic", "pygit2", "requests", "sqlite3")
EXAMPLE = REPOSITORY / "examples" / "healthcare.py"


def python(code: str, cwd: Path = REPOSITORY, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_nothing_heavy() -> None:
    code = f"""
import sys
from d4cbuild import D4CError, Verdict, build, open_manifest, verify
print(sorted(set({HEAVY!r}) & {{name.partition(".")[0] for name in sys.modules}}))
"""
    assert python(code) == "[]\n"


def test_the_function_build_is_not_replaced_by_the_floor_of_that_name() -> None:
    assert build_recipe.__module__ == "d4cbuild.build.pipeline"
    code = """
import d4cbuild.build.pipeline
import d4cbuild
from d4cbuild import build
assert callable(build) and d4cbuild.build is build
"""
    assert python(code) == ""


def test_what_is_exported_is_there() -> None:
    assert all(hasattr(d4cbuild, name) for name in d4cbuild.__all__)


def test_a_build_says_where_its_files_are_and_what_they_hold(project: Project) -> None:
    project.locked()
    result = build(project.recipe, store=project.store)
    assert (result.status, result.recipe, result.releasable) == ("built", "places", True)
    places = result.output("places")
    assert pq.read_table(places.path)["name"].to_pylist() == [
        "Moncton",
        "Trois-Rivières",
        "Iqaluit",
    ]
    assert (places.rows, places.size) == (3, places.path.stat().st_size)
    assert result.outputs == (places,)
    manifest = open_manifest(result.manifest)
    (record,) = manifest.outputs
    assert (record.sha256, record.blake3, record.content) == (
        places.sha256,
        places.blake3,
        places.content,
    )
    assert manifest.build_key == result.build_key
    assert build(project.recipe, store=project.store).status == "unchanged"


def test_the_command_and_the_function_say_the_same(project: Project) -> None:
    project.built()
    (record,) = project.run("build", "--force", "--json", "recipes/places").json["results"]
    told = build(project.recipe, store=project.store, force=True).as_json()
    assert {**told, "log": None} == {**record, "log": None}


def test_nothing_is_printed_unless_somebody_is_told(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    options = {"dirty": True, "force": True, "store": project.store}
    build(project.recipe, **options)  # type: ignore[arg-type]
    assert capfd.readouterr() == ("", "")
    build(project.recipe, progress=lines.append, **options)  # type: ignore[arg-type]
    assert any("running in" in line for line in lines)
    assert capfd.readouterr() == ("", "")


def test_a_verdict_is_a_value_and_never_true_or_false(project: Project) -> None:
    project.built()
    result = verify(project.recipe, store=project.store)
    assert result.verdict == Verdict.IDENTICAL
    assert [output.verdict for each in result.rebuilds for output in each.outputs] == ["identical"]
    for value in (result, result.verdict):
        with pytest.raises(TypeError, match="no yes or no"):
            bool(value)


def test_what_cannot_be_checked_is_unknown_and_no_error(project: Project) -> None:
    project.built()
    shutil.rmtree(project.store / "objects")
    project.edit("recipe.toml", 'mirrors = ["sources/places.csv"]', "mirrors = []")
    project.run("lock", "recipes/places")
    result = verify(project.recipe, store=project.store)
    assert result.verdict == Verdict.UNKNOWN


def test_a_bundle_is_verified_and_its_manifest_read(project: Project, tmp_path: Path) -> None:
    project.built()
    answer = project.run("bundle", "recipes/places", "--json")
    assert answer.status == 0, answer.err
    bundle = Path(answer.json["results"][0]["bundle"])
    assert verify(bundle, store=project.store).verdict == Verdict.IDENTICAL
    assert open_manifest(bundle) == open_manifest(project.recipe)
    kept = next(bundle.glob("*.parquet"))
    kept.write_bytes(kept.read_bytes() + b"\0")
    with pytest.raises(D4CError, match="not whole"):
        verify(bundle, store=project.store)


def test_errors_have_parts(project: Project) -> None:
    with pytest.raises(StaleLock) as not_locked:
        build(project.recipe, store=project.store)
    assert not_locked.value.hint == f"d4cbuild lock {project.recipe}"
    project.edit("process.py", "/places.parquet", "/elsewhere.parquet")
    with pytest.raises(BuildFailed) as failed:
        build(project.recipe, dirty=True, store=project.store)
    assert failed.value.found is not None
    with pytest.raises(InputError) as no_manifest:
        open_manifest(project.recipe)
    assert no_manifest.value.where == str(project.recipe)
    project.root.joinpath("blocked").write_text("a file, and no folder")
    with pytest.raises(D4CError) as refused:
        build(project.recipe, dirty=True, store=project.root / "blocked" / "store")
    assert "blocked" in str(refused.value)


def test_an_output_that_is_not_there_is_named_beside_those_that_are(project: Project) -> None:
    result = build(project.recipe, dirty=True, store=project.store)
    with pytest.raises(InputError) as error:
        result.output("plaices")
    assert (error.value.expected, error.value.found) == ("places", "plaices")


def test_the_notebook_runs_from_start_to_end(tmp_path: Path, shared_store: Store) -> None:
    for name in ("recipes", "environments"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    store = tmp_path / "store"
    store.mkdir()
    (store / "images").symlink_to(shared_store.images)
    printed = python(EXAMPLE.read_text(), cwd=tmp_path, D4CBUILD_STORE=str(store))
    assert "7,033 rows" in printed
    assert "identical" in printed.splitlines()
    assert "there is no recipe here" in printed


def test_the_readme_shows_lines_that_work(project: Project) -> None:
    project.built()
    (fence,) = Document(REPOSITORY / "README.md").fences("From Python")
    assert fence.language == "python"
    code = fence.text.replace("recipes/statcan-odhf", "recipes/places")
    code = code.replace("facilities", "places")
    python(code, cwd=project.root, D4CBUILD_STORE=str(project.store))
