from collections.abc import Iterator

import pytest

from tests.sources.server import Site


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,127.0.0.2,localhost")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running
