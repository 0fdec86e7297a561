from collections.abc import Iterator
from pathlib import Path

import pytest

from d4cbuild.store import Store
from tests.sources.server import Site

from .shared import Shared


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine must not come between the tests and their own server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def other_site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store")
    yield made
    made.database.close()


@pytest.fixture(scope="session")
def shared() -> Shared:
    return Shared()


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the rclone remote ``copies``."""
    folder = tmp_path / "remote"
    folder.mkdir()
    config = tmp_path / "rclone.conf"
    config.write_text(f"[copies]\ntype = alias\nremote = {folder}\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(config))
    return folder
