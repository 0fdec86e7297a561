"""Fat bundles of the real recipes: everything to check and to rebuild them, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.bundle.machine import clean_machine, rebuild_in
from tests.bundle.outside import objections
from tests.conftest import REPOSITORY
from tests.e2e.test_real_recipes import NOT_IN_THE_REPOSITORY, RECIPES

OF_STEPS = "ottawa-building-permits-2018"


@pytest.fixture(scope="module")
def machine(shared_store: Store) -> Image:
    """The image of a clean machine, in the engine."""
    return clean_machine(shared_store)


@pytest.fixture(params=[*RECIPES, OF_STEPS])
def bundle(
    request: pytest.FixtureRequest,
    geo_image: Image,
    shared_store: Store,
    raw_files: Path | None,
    tmp_path: Path,
) -> Iterator[Path]:
    """The fat bundle of a recipe; a gigabyte, so it is removed when it is no longer needed."""
    recipe = f"recipes/{request.param}"
    if request.param in NOT_IN_THE_REPOSITORY and raw_files is None:
        pytest.skip(f"{recipe}: its sources are not on this machine (D4CBUILD_TEST_SOURCES)")
    options = ["--dist", str(tmp_path / "dist")]
    options += [] if raw_files is None else ["--mirror", str(raw_files)]
    _d4cbuild(shared_store, "build", *options, recipe)
    output = tmp_path / "bundles"
    options += ["--fat", "--json", "--output", str(output)]
    made = _d4cbuild(shared_store, "bundle", *options, recipe)
    yield Path(json.loads(made)["results"][0]["bundle"])
    shutil.rmtree(output)


def _d4cbuild(store: Store, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "d4cbuild", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "D4CBUILD_STORE": str(store.root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.engine
def test_a_clean_machine_rebuilds_it_and_outside_validators_have_no_objection(
    bundle: Path, machine: Image, tmp_path: Path
) -> None:
    found = objections(tmp_path / "cache", bundle)
    assert found == {bundle.name: {"ro-crate": [], "frictionless": [], "datacite": []}}
    # The first thing that the script does is sha256sum -c; it goes no further if that fails.
    done = rebuild_in(machine, bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "rebuild: checking SHA256SUMS"
    assert done.stdout.splitlines()[-1] == "rebuild: identical"
