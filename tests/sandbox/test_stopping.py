"""Ctrl-C, SIGTERM and SIGKILL of d4cbuild itself leave nothing behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.sandbox.docker import LABEL, DockerRunner
from d4cbuild.sandbox.job import Job, Runner

from .conftest import REPOSITORY, RUNNERS
from .jobs import run

Start = Callable[[str], "subprocess.Popen[bytes]"]
PATIENCE_S = 20.0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the endless job in a process of its own; ends it whatever happens."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(runner: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.sandbox.endless", runner, str(tmp_path)]
        started.append(subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def _until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def _beating(folder: Path) -> bool:
    return any(beat.stat().st_size > 0 for beat in folder.glob("store/tmp/*/job/run/out/beat"))


def _processes(folder: Path) -> list[str]:
    """Processes of the job: their command lines, or the mounts they live on, name its folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            mounts = (process / "mountinfo").read_text()
        except OSError:
            continue  # it has ended since
        if str(folder) in mounts:
            found.append((process / "cmdline").read_text())
    return found


def _containers(process: int) -> list[Any]:
    api = DockerRunner()._client.api
    return list(api.containers(all=True, filters={"label": f"{LABEL}.process={process}"}))


def _groups(process: int) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"**/d4cbuild-{process}-*"))


def _mounts(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(folder) in line]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_stopped_build_leaves_nothing_behind(
    start: Start, tmp_path: Path, runner: str, number: signal.Signals
) -> None:
    process = start(runner)
    assert _until(lambda: _beating(tmp_path))
    assert _processes(tmp_path)
    process.send_signal(number)
    assert process.wait(PATIENCE_S) == 130
    assert _processes(tmp_path) == []
    assert _groups(process.pid) == []
    assert _mounts(tmp_path) == []
    assert list((tmp_path / "store" / "tmp").iterdir()) == []
    if runner == "docker":
        assert _containers(process.pid) == []


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.3])
@pytest.mark.parametrize("runner", RUNNERS)
def test_a_build_stopped_at_any_moment_leaves_nothing_behind(
    start: Start, tmp_path: Path, runner: str, after_s: float
) -> None:
    process = start(runner)
    time.sleep(after_s)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) != 0
    assert _until(lambda: _processes(tmp_path) == [])
    assert _groups(process.pid) == []
    left = tmp_path / "store" / "tmp"
    assert not left.exists() or list(left.iterdir()) == []
    if runner == "docker":
        assert _containers(process.pid) == []


def test_a_killed_build_takes_its_bubblewrap_along_and_the_next_one_clears_up(
    start: Start, tmp_path: Path, bubblewrap: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("bubblewrap")
    assert _until(lambda: _beating(tmp_path))
    process.kill()
    process.wait()
    assert _until(lambda: _processes(tmp_path) == [])
    assert run(bubblewrap, new_job(("/bin/true",))).outcome.succeeded
    assert _groups(process.pid) == []


@pytest.mark.engine
def test_the_container_of_a_killed_build_is_removed_by_the_next_run(
    start: Start, tmp_path: Path, docker: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("docker")
    assert _until(lambda: _beating(tmp_path))
    process.kill()
    process.wait()
    assert len(_containers(process.pid)) == 1
    assert run(docker, new_job(("/bin/true",))).outcome.succeeded
    assert _containers(process.pid) == []
    assert _until(lambda: _processes(tmp_path) == [])


@pytest.mark.engine
def test_a_container_of_a_living_build_is_left_alone(
    start: Start, tmp_path: Path, docker: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("docker")
    assert _until(lambda: _beating(tmp_path))
    assert run(docker, new_job(("/bin/true",))).outcome.succeeded
    assert [each["State"] for each in _containers(process.pid)] == ["running"]
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
