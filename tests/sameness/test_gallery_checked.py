"""Recipes made wrong on purpose: `check` names what is wrong with each, and where."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from d4cbuild.build.checking import check_recipe
from d4cbuild.build.folder import RecipeFolder

GALLERY = Path(__file__).parent / "gallery"
RECIPES = sorted(path.parent.name for path in GALLERY.glob("*/recipe.toml"))
NOT_BUILT = {"missing-lock", "missing-manifest"}


def test_there_are_enough_of_them() -> None:
    assert len(RECIPES) >= 14


@pytest.mark.parametrize("name", RECIPES)
def test_check_names_what_is_wrong_and_where(name: str) -> None:
    folder = GALLERY / name
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["hazards"]
    found = check_recipe(RecipeFolder(folder))
    assert {each.name for each in found} >= NOT_BUILT
    hazards = [each for each in found if each.name not in NOT_BUILT]
    assert sorted({(each.name, Path(each.file).name, each.line) for each in hazards}) == sorted(
        {(each["name"], each["file"], each["line"]) for each in expected}
    )
    assert all(each.is_hazard and each.counts for each in hazards)
