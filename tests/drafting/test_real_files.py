"""Recipes drafted of real files build as they are. ``python -m tests.drafting`` does all files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.drafting.real_files import draft_and_build
from tests.project import Project

RECIPES = REPOSITORY / "recipes"
SOURCES = (
    "eccc-citypage-ottawa/sources/eccc_citypage_ottawa.xml",
    "ottawa-building-permits-2018/sources/ottawa_building_permits_2018.xlsx",
    "statcan-cma-2016/sources/lcma000b16a_e.zip",
    "statcan-odhf/sources/odhf_v1.1.csv",
    "toronto-schools/sources/toronto_schools.geojson",
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: Path(source).name)
def test_a_recipe_drafted_of_a_real_file_builds_as_it_is(project: Project, source: str) -> None:
    drafted = draft_and_build(project, RECIPES / source)
    assert drafted.built, drafted.said
    assert drafted.unsure > 0
