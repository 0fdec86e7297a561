"""A recipe run in the image that plain ``docker build`` makes of the Dockerfile: the same bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pytest

from d4cbuild.base.digest import Digest
from d4cbuild.base.progress import Silence
from d4cbuild.build.folder import RecipeFolder
from d4cbuild.build.verify import VerifyOptions, verify_recipe
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.dockerfile import export_context
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Outcome
from d4cbuild.store import Store
from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class InBuiltImage:
    """Runs jobs in an image the engine built by itself, instead of the one we assembled."""

    image: Digest
    name: str = "docker build"

    def version(self) -> str:
        return DockerRunner().version()

    def run(self, job: Job, log: BinaryIO) -> Outcome:
        built = replace(job.image, config=self.image, manifest=self.image)
        return DockerRunner().run(replace(job, image=built), log)


@pytest.fixture
def built_image(tmp_path: Path, geo_image: Image) -> Iterator[Digest]:
    folder = EnvironmentFolder(REPOSITORY / "environments" / "geo")
    export_context(geo_image, folder, tmp_path)
    command = ["docker", "build", "--quiet", "--no-cache", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    image = Digest.parse(done.stdout.strip())
    assert image != geo_image.config  # it must not be the assembled image under another name
    yield image
    subprocess.run(["docker", "rmi", "--force", str(image)], capture_output=True, check=True)


@pytest.mark.engine
def test_a_recipe_run_in_the_built_image_gives_the_same_bytes(
    built_image: Digest, store: Store, tmp_path: Path
) -> None:
    recipe = RecipeFolder(REPOSITORY / "recipes" / "statcan-odhf")
    options = VerifyOptions(tmp_path / "dist")
    result = verify_recipe(recipe, store, [InBuiltImage(built_image)], options, Silence())
    assert result.verdict == "identical", result
