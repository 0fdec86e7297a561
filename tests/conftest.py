"""What all tests share: the store with the real environment, and small projects to work in."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.sandbox.image import Image
from d4cbuild.store import Store
from tests.project import Project

REPOSITORY = Path(__file__).parent.parent

# The same examples on every machine, and no failures because a machine is slow.
settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

# What a shell runs in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_store() -> Store:
    """The store in the working copy: packages and images are downloaded once for all tests."""
    return Store(REPOSITORY / ".cache" / "store")


@pytest.fixture(scope="session")
def geo_image(shared_store: Store) -> Image:
    """The assembled image of ``environments/geo``."""
    folder = EnvironmentFolder(REPOSITORY / "environments" / "geo")
    return ensure_image(folder, shared_store, Silence())


@pytest.fixture
def store(tmp_path: Path, geo_image: Image, shared_store: Store) -> Iterator[Store]:
    """A store of the test's own that has the image already."""
    root = tmp_path / "store"
    root.mkdir()
    (root / "images").symlink_to(shared_store.images)
    made = Store(root)
    yield made
    made.database.close()


@pytest.fixture
def project(tmp_path: Path, store: Store) -> Project:
    """A git repository with one small recipe, and a store of its own."""
    return Project.create(tmp_path / "project", store.root, REPOSITORY / "environments")


@pytest.fixture(scope="session")
def raw_files() -> Path | None:
    """The folder of real files that are too many to be in the repository, if it is here."""
    chosen = os.environ.get("D4CBUILD_TEST_SOURCES")
    folder = Path(chosen) if chosen else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None
