"""Fixtures of the sandbox's tests: the real image, and both runners."""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.base.files import remove_tree
from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.sandbox.bubblewrap import BubblewrapRunner
from d4cbuild.sandbox.docker import DockerRunner
from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Runner
from d4cbuild.store import Store

from .jobs import Ran, make_job, run

REPOSITORY = Path(__file__).parents[2]
RUNNERS = ["bubblewrap", pytest.param("docker", marks=pytest.mark.engine)]
RunJob = Callable[..., Ran]


@pytest.fixture(scope="session")
def image() -> Image:
    """The environment ``geo``, kept between runs."""
    store = Store(REPOSITORY / ".cache" / "store")
    return ensure_image(EnvironmentFolder(REPOSITORY / "environments" / "geo"), store, Silence())


@pytest.fixture(scope="session")
def bubblewrap() -> Runner:
    return BubblewrapRunner()


@pytest.fixture(scope="session")
def docker() -> Runner:
    return DockerRunner()


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> Runner:
    """Each runner in turn; a test that asks for it is a clause both must keep."""
    found: Runner = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def new_job(image: Image, tmp_path: Path) -> Iterator[Callable[..., Job]]:
    """Lays out jobs in folders of their own, and clears them away, whatever is in them."""
    numbers = count()

    def make(program: str | Sequence[str], **limits: Any) -> Job:
        return make_job(image, tmp_path / f"job-{next(numbers)}", program, limits)

    yield make
    for number in range(next(numbers)):
        remove_tree(tmp_path / f"job-{number}")


@pytest.fixture
def run_job(runner: Runner, new_job: Callable[..., Job]) -> RunJob:
    """Runs Python code, or a command, as a job."""
    return lambda program, **limits: run(runner, new_job(program, **limits))


@pytest.fixture
def run_on_both(bubblewrap: Runner, docker: Runner, new_job: Callable[..., Job]) -> RunJob:
    """Runs the same job on both; returns what each gave."""
    return lambda program, **limits: tuple(  # type: ignore[return-value]
        run(each, new_job(program, **limits)) for each in (bubblewrap, docker)
    )
