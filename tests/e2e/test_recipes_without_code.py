"""The real recipes that have steps instead of code: built again, they give the committed bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

from d4cbuild.steps.raster import write_raster
from d4cbuild.store import Store
from tests.conftest import REPOSITORY

COMMITTED = (
    "alberta-protected-areas",
    "eccc-citypage-ottawa",
    "eccc-hourly-pelly",
    "eccc-station-inventory",
    "nrcan-canvec-hydro",
    "ottawa-building-permits-2018",
    "statcan-exchange-rates",
    "toronto-schools",
)
NOT_IN_THE_REPOSITORY = (
    "bc-natural-resource-areas",
    "halifax-transit-gtfs",
    "nrcan-hrdem-fredericton",
    "pei-charlottetown-wards",
    "quebec-mrc",
    "winnipeg-road-network",
)


def verdicts(store: Store, *arguments: str) -> dict[tuple[str, str], str]:
    """Build recipes again; returns the verdict on each output."""
    program = (sys.executable, "-m", "d4cbuild")
    done = subprocess.run(
        [*program, "verify", "--json", "--runner", "bubblewrap", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "D4CBUILD_STORE": str(store.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return {
        (result["recipe"], output["name"]): output["verdict"]
        for result in json.loads(done.stdout)["results"]
        for rebuild in result["rebuilds"]
        for output in rebuild["outputs"]
    }


@pytest.mark.parametrize("name", COMMITTED)
def test_a_recipe_of_steps_is_built_again_from_this_repository(name: str, store: Store) -> None:
    found = verdicts(store, f"recipes/{name}")
    assert found
    assert set(found.values()) == {"identical"}, found


def test_recipes_of_steps_are_built_again_from_raw_files_elsewhere(
    store: Store, raw_files: Path | None
) -> None:
    if raw_files is None:
        pytest.skip("their sources are not on this machine (D4CBUILD_TEST_SOURCES)")
    recipes = [f"recipes/{name}" for name in NOT_IN_THE_REPOSITORY]
    found = verdicts(store, "--mirror", str(raw_files), *recipes)
    assert {name for name, _ in found} == set(NOT_IN_THE_REPOSITORY)
    assert set(found.values()) == {"identical"}, found


def test_the_elevation_model_keeps_every_cell(tmp_path: Path, raw_files: Path | None) -> None:
    if raw_files is None:
        pytest.skip("the source is not on this machine (D4CBUILD_TEST_SOURCES)")
    source = raw_files / "nrcan_hrdem_fredericton.tif"
    write_raster(source, tmp_path / "dem.tif")
    with rasterio.open(source) as one, rasterio.open(tmp_path / "dem.tif") as other:
        assert one.transform == other.transform
        assert one.crs == other.crs
        assert one.nodata == other.nodata
        assert one.read(1).tobytes() == other.read(1).tobytes()
        assert other.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
