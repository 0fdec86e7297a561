"""Recipes made wrong on purpose: `verify --vary` catches them, and names what flips each.

All are run by one recipe, each in a process of its own, so that its rebuilds serve them all.
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.build.vary.variation import VARIATIONS
from d4cbuild.store import Store
from tests.conftest import REPOSITORY
from tests.project import Project

GALLERY = Path(__file__).parent / "gallery"
NAMES = sorted(path.parent.name for path in GALLERY.glob("*/recipe.toml"))
IN_BUBBLEWRAP = ",".join(v.name for v in VARIATIONS if v.name != "runner")

# Forked after the libraries are loaded, each finds a process that nothing has happened in yet.
RUN_ALL = """\
import os, runpy, shutil, sys
import concurrent.futures, duckdb, numpy, pandas, pyarrow.parquet

for name in sorted(os.listdir("gallery")):
    child = os.fork()
    if child == 0:
        out = f"/tmp/{name}"
        os.mkdir(out)
        final = os.environ["D4C_OUT"] + f"/{name.replace('-', '_')}.parquet"
        os.environ["D4C_OUT"] = out
        runpy.run_path(f"gallery/{name}/process.py", run_name="__main__")
        shutil.copyfile(f"{out}/rows.parquet", final)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"{name} failed")
"""


@dataclass(frozen=True)
class Shown:
    """What ``verify --vary`` said of one recipe."""

    verdict: str
    causes: list[list[str]]
    reasons: list[str]


def _lay_out(project: Project) -> None:
    head, _, rest = (GALLERY / NAMES[0] / "recipe.toml").read_text().partition("[[outputs]]")
    head, _, build = head.partition("[[sources]]")
    head = head.replace(f'id = "{NAMES[0]}"', 'id = "places"')
    build = build[build.index("[build]") :].replace('"512MiB"', '"1GiB"').replace('"60s"', '"300s"')
    sources = {path.name: path for path in sorted(GALLERY.glob("*/sources/*"))}
    for name, path in sources.items():
        head += (
            f'[[sources]]\nname = "{name}"\nurl = "https://example.invalid/{name}"\n'
            f'mirrors = ["sources/{name}"]\nlicence = "OGL-Canada-2.0"\n'
            'attribution = { en = "Contains test data.", fr = "Contient des données d’essai." }\n'
        )
        shutil.copyfile(path, project.recipe / "sources" / name)
    for name in NAMES:
        build += "[[outputs]]" + rest.replace('name = "rows"', f'name = "{name.replace("-", "_")}"')
        code = project.recipe / "gallery" / name
        code.mkdir(parents=True)
        shutil.copyfile(GALLERY / name / "process.py", code / "process.py")
    (project.recipe / "recipe.toml").write_text(head + build)
    (project.recipe / "process.py").write_text(RUN_ALL)
    project.commit("Hang the gallery")


@pytest.fixture(scope="module")
def shown(
    tmp_path_factory: pytest.TempPathFactory, geo_image: object, shared_store: Store
) -> dict[str, Shown]:
    """Everything that was said, by the recipe's name."""
    assert geo_image is not None  # it is in the shared store now
    root = tmp_path_factory.mktemp("gallery")
    (root / "store").mkdir()
    (root / "store" / "images").symlink_to(shared_store.images)
    project = Project.create(root / "project", root / "store", REPOSITORY / "environments")
    _lay_out(project)
    project.built()
    arguments = ("verify", "--json", "--runner", "bubblewrap", "--vary", IN_BUBBLEWRAP)
    answer = project.run(*arguments, "--seed", "gallery", "recipes/places")
    (result,) = answer.json["results"]
    (rebuild,) = result["rebuilds"]
    verdicts = {output["name"]: output["verdict"] for output in rebuild["outputs"]}
    flips: list[dict[str, Any]] = result["varied"]["flips"]
    return {
        name: Shown(
            verdicts[name.replace("-", "_")],
            [flip["variations"] for flip in flips if flip["output"] == name.replace("-", "_")],
            [flip["reason"] or "" for flip in flips if flip["output"] == name.replace("-", "_")],
        )
        for name in NAMES
    }


def _expected(name: str) -> dict[str, Any]:
    return tomllib.loads((GALLERY / name / "expected.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", [name for name in NAMES if not _expected(name)["every_time"]])
def test_a_variation_that_flips_a_recipe_is_named_and_no_other(
    name: str, shown: dict[str, Shown]
) -> None:
    flipped_by = _expected(name)["flipped_by"]
    assert shown[name].causes == [[cause] for cause in flipped_by]
    assert shown[name].verdict == ("different" if flipped_by else "identical")


@pytest.mark.parametrize("name", [name for name in NAMES if _expected(name)["every_time"]])
def test_a_recipe_of_chance_is_blamed_on_chance_or_on_what_makes_it(
    name: str, shown: dict[str, Shown]
) -> None:
    (cause,) = shown[name].causes
    assert cause in ([], _expected(name)["flipped_by"])
    assert shown[name].reasons[0].startswith("comes out otherwise from time to time")
    assert shown[name].verdict == "different"
