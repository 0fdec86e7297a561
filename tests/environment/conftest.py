"""Fixtures of the environment's tests: a tiny environment made by hand, and the shared store."""

from pathlib import Path

import pytest

from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.store.store import Store

from .tiny import TinyEnvironment, make_tiny

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(scope="session")
def shared_store() -> Store:
    """A store kept between runs, so that the real packages are downloaded once."""
    return Store(REPOSITORY / ".cache" / "store")


@pytest.fixture
def tiny(tmp_path: Path, store: Store) -> TinyEnvironment:
    """A locked environment of two Debian packages and a wheel, its packages in ``store``."""
    return make_tiny(tmp_path / "environments" / "tiny", tmp_path / "packages", store)


@pytest.fixture
def geo() -> EnvironmentFolder:
    return EnvironmentFolder(REPOSITORY / "environments" / "geo")
