"""Ctrl-C, SIGTERM and SIGKILL of d4cbuild itself leave nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from d4cbuild.sandbox.docker import LABEL, DockerRunner
from d4cbuild.sandbox.job import Job, Runner
from tests.running import PATIENCE_S, until

from .conftest import REPOSITORY, RUNNERS
from .jobs import run

Start = Callable[..., "subprocess.Popen[bytes]"]
ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the endless job in a process of its own; ends it whatever happens."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(runner: str, **settings: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "tests.sandbox.endless", runner, str(tmp_path)]
        environment = os.environ | settings
        started.append(
            subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True, env=environment)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


class SlowAnswers:
    """Stands between an engine and one who asks it, and keeps some answers back for a while.

    Args:
        address: The socket to listen on.
        wanted: What the first line of such a request contains.
        delay_s: How long the answer is kept back.
    """

    def __init__(self, address: Path, wanted: bytes, delay_s: float) -> None:
        self._wanted = wanted
        self._delay_s = delay_s
        self.asked = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(address))
        self._listener.listen()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                asker = self._listener.accept()[0]
            except OSError:
                return  # closed
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(ENGINE)
            slow = threading.Event()
            for work in ((asker, engine, slow, self._ask), (engine, asker, slow, self._answer)):
                threading.Thread(target=self._pass_on, args=work, daemon=True).start()

    def _ask(self, request: bytes, slow: threading.Event) -> None:
        if self._wanted in request.partition(b"\r\n")[0]:
            slow.set()
            self.asked.set()

    def _answer(self, answer: bytes, slow: threading.Event) -> None:
        if slow.is_set():
            slow.clear()
            time.sleep(self._delay_s)

    @staticmethod
    def _pass_on(
        source: socket.socket,
        target: socket.socket,
        slow: threading.Event,
        look: Callable[[bytes, threading.Event], None],
    ) -> None:
        try:
            while data := source.recv(1 << 16):
                look(data, slow)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # either of them has gone


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
    assert until(lambda: _beating(tmp_path))
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
    assert until(lambda: _processes(tmp_path) == [])
    assert _groups(process.pid) == []
    left = tmp_path / "store" / "tmp"
    assert not left.exists() or list(left.iterdir()) == []
    if runner == "docker":
        assert _containers(process.pid) == []


@pytest.mark.engine
def test_a_container_that_is_being_made_while_the_build_is_stopped_is_removed(
    start: Start, tmp_path: Path
) -> None:
    address = tmp_path / "slow.sock"
    between = SlowAnswers(address, b"/containers/create", delay_s=0.5)
    process = start("docker", DOCKER_HOST=f"unix://{address}")
    assert between.asked.wait(PATIENCE_S)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
    between.close()
    assert _containers(process.pid) == []
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


def test_a_killed_build_takes_its_bubblewrap_along_and_the_next_one_clears_up(
    start: Start, tmp_path: Path, bubblewrap: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("bubblewrap")
    assert until(lambda: _beating(tmp_path))
    process.kill()
    process.wait()
    assert until(lambda: _processes(tmp_path) == [])
    assert run(bubblewrap, new_job(("/bin/true",))).outcome.succeeded
    assert _groups(process.pid) == []


@pytest.mark.engine
def test_the_container_of_a_killed_build_is_removed_by_the_next_run(
    start: Start, tmp_path: Path, docker: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("docker")
    assert until(lambda: _beating(tmp_path))
    process.kill()
    process.wait()
    assert len(_containers(process.pid)) == 1
    assert run(docker, new_job(("/bin/true",))).outcome.succeeded
    # Where another test runs a job just now, it may be that one which removes it.
    assert until(lambda: _containers(process.pid) == [])
    assert until(lambda: _processes(tmp_path) == [])


@pytest.mark.engine
def test_several_runs_that_find_the_same_container_of_a_killed_build_all_succeed(
    start: Start, tmp_path: Path
) -> None:
    process = start("docker")
    assert until(lambda: _beating(tmp_path))
    process.kill()
    process.wait()
    runners = [DockerRunner() for _ in range(8)]
    with ThreadPoolExecutor(len(runners)) as pool:
        swept = [pool.submit(runner.sweep) for runner in runners]
    assert sum(each.result() for each in swept) >= 1
    assert until(lambda: _containers(process.pid) == [])


@pytest.mark.engine
def test_a_container_of_a_living_build_is_left_alone(
    start: Start, tmp_path: Path, docker: Runner, new_job: Callable[..., Job]
) -> None:
    process = start("docker")
    assert until(lambda: _beating(tmp_path))
    assert run(docker, new_job(("/bin/true",))).outcome.succeeded
    assert [each["State"] for each in _containers(process.pid)] == ["running"]
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130
