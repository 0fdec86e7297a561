"""A recipe that was built, and its bundles. Tests change copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.bundle.received import Received, bundled
from tests.project import Project

ENVIRONMENTS = Path(__file__).parent / "environments"


@pytest.fixture(scope="session")
def small_image(shared_store: Store) -> Image:
    """The image of a smaller environment than the recipes': bundles of it are smaller too."""
    return ensure_image(EnvironmentFolder(ENVIRONMENTS / "small"), shared_store, Silence())


def small_project(root: Path, store: Path) -> Project:
    """A project whose recipe is built in the small environment."""
    project = Project.create(root, store, ENVIRONMENTS)
    project.edit("recipe.toml", 'environment = "geo"', 'environment = "small"')
    project.commit("Build in less")
    return project


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory, small_image: Image, shared_store: Store
) -> Project:
    """A project with one recipe, built and committed; its store has the environment's packages."""
    assert small_image is not None  # it is in the shared store now
    root = tmp_path_factory.mktemp("bundled")
    (root / "store").mkdir()
    for shared in ("images", "objects"):
        (root / "store" / shared).symlink_to(shared_store.root / shared)
    return small_project(root / "project", root / "store").built()


@pytest.fixture
def project(tmp_path: Path, small_image: Image, shared_store: Store) -> Project:
    """A project of the test's own, whose store has the environment's image and packages."""
    assert small_image is not None  # it is in the shared store now
    store = tmp_path / "store"
    store.mkdir()
    for shared in ("images", "objects"):
        (store / shared).symlink_to(shared_store.root / shared)
    return small_project(tmp_path / "project", store)


@pytest.fixture(scope="session")
def thin(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its thin bundle; not to be changed."""
    return bundled(built, tmp_path_factory.mktemp("thin"), "--thin")


@pytest.fixture(scope="session")
def fat(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its fat bundle; not to be changed."""
    return bundled(built, tmp_path_factory.mktemp("fat"), "--fat")


@pytest.fixture
def received(thin: Path, built: Project, tmp_path: Path) -> Iterator[Received]:
    """A copy of the thin bundle, to be tampered with."""
    folder = tmp_path / "received"
    shutil.copytree(thin, folder)
    yield Received(folder, built)


@pytest.fixture
def stranger(tmp_path: Path, small_image: Image, shared_store: Store) -> Project:
    """Somebody who has the environment, and nothing else."""
    assert small_image is not None  # it is in the shared store now
    store = tmp_path / "strange-store"
    store.mkdir()
    (store / "images").symlink_to(shared_store.images)
    return Project(tmp_path, store)
