"""Sandboxes that are missing, forbidden, too old, full, or taken away in the middle of a build."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.faults import checks
from tests.faults.case import Settings, judged
from tests.faults.worlds import RECIPE, World, verb_named
from tests.project import Answer
from tests.tally import Case

KIND = "engines"
START_S = 60
BUILD_S = 4
"""How long the recipe's code takes, so that there is time to disturb it."""
NOWHERE = "unix:///nowhere/docker.sock"
_FORBID = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'


@dataclass
class Engine:
    """A Docker engine of our own, so that no other work is disturbed.

    Attributes:
        folder: Where it keeps everything; another one after each start.
    """

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """As ``DOCKER_HOST`` has it."""
        return f"unix://{self.folder}/socket"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.folder = self.folder / "again" if self.folder.exists() else self.folder
        self.folder.mkdir()
        self.process = subprocess.Popen(
            [
                *("dockerd", "--bridge=none", "--iptables=false", "--host", self.address),
                *("--data-root", str(self.folder / "data")),
                *("--exec-root", str(self.folder / "exec")),
                *("--pidfile", str(self.folder / "pid")),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + START_S
        while self.docker("info").returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("a Docker engine could not be started")
            time.sleep(0.2)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it, in whatever way."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Ask it something by its own command."""
        command = ["docker", "--host", self.address, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def names(self, *arguments: str) -> list[str]:
        """What a listing command of it lists."""
        return self.docker(*arguments, "--quiet").stdout.split()


def cases(settings: Settings) -> Iterator[Case]:
    """Disturb bubblewrap and Docker."""
    if settings.part != 0:
        return
    settings = replace(settings, parts=1)
    world = verb_named("build").world(settings.folder, settings.warm)
    world.ran("build", RECIPE)
    expected = verb_named("build").results(world)
    world.restore()
    yield from _told(settings, world, expected)
    if settings.quick:
        return
    slow = _slow(world)
    engine = Engine(settings.folder / "engine")
    engine.start()
    try:
        for name, disturb in _DISTURBANCES.items():
            if settings.wants(name):
                work = partial(_disturbed, world, engine, slow, disturb)
                yield judged(settings, KIND, f"{KIND}: Docker", name, work)
        if settings.wants("no space in Docker's folder"):
            work = partial(_no_space, world, slow, settings.folder / "small")
            yield judged(settings, KIND, f"{KIND}: Docker", "no space in Docker's folder", work)
    finally:
        engine.stop()


def _told(settings: Settings, world: World, expected: dict[str, str]) -> Iterator[Case]:
    """What must be said, with what to do, before anything is run."""
    tools = settings.folder / "tools"
    tools.mkdir()
    for name in ("sh", "git", "true"):
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    plain = {"PATH": str(tools), "DOCKER_HOST": NOWHERE}
    for name, runner, script, words in (
        ("bubblewrap is missing", "bubblewrap", None, "not installed"),
        ("nothing is there", "auto", None, "nothing on this machine can run a sandbox"),
        ("bubblewrap is too old", "bubblewrap", "echo bubblewrap 0.4.1", "too old"),
        ("bubblewrap ends without a word", "bubblewrap", _DYING, "could not make the sandbox"),
        ("no Docker engine answers", "docker", None, "no Docker engine answers"),
    ):
        if settings.wants(name):
            work = partial(_without, world, expected, plain, tools, runner, script, words)
            yield judged(settings, KIND, f"{KIND}: said", name, work)
    if settings.wants("user namespaces are forbidden"):
        work = partial(_forbidden, world, expected)
        yield judged(settings, KIND, f"{KIND}: said", "user namespaces are forbidden", work)
    if settings.wants("the Docker engine is too old"):
        work = partial(_ancient, world, expected, settings.folder / "ancient")
        yield judged(settings, KIND, f"{KIND}: said", "the Docker engine is too old", work)


_DYING = 'case "$1" in --version) echo bubblewrap 0.8.0;; *) kill -9 $$;; esac'


def _without(
    world: World,
    expected: dict[str, str],
    variables: dict[str, str],
    tools: Path,
    runner: str,
    script: str | None,
    words: str,
) -> None:
    if script is not None:
        (tools / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
        (tools / "bwrap").chmod(0o755)
    try:
        _must_say(world, expected, words, _run(world, runner, **variables))
    finally:
        (tools / "bwrap").unlink(missing_ok=True)


def _forbidden(world: World, expected: dict[str, str]) -> None:
    within = ("unshare", "--user", "--map-root-user", "sh", "-c", _FORBID, "sh")
    answer = _run(world, "bubblewrap", within=within, DOCKER_HOST=NOWHERE)
    _must_say(world, expected, "allow user namespaces", answer)


def _ancient(world: World, expected: dict[str, str], folder: Path) -> None:
    """An engine that speaks no version of the protocol that is still spoken."""
    folder.mkdir()

    class Old(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = b"OK"
            if self.path.endswith("/version"):
                data = json.dumps({"Version": "1.0.1", "ApiVersion": "1.12"}).encode()
            self.send_response(200)
            self.send_header("Api-Version", "1.12")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with socketserver.ThreadingUnixStreamServer(str(folder / "socket"), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            answer = _run(world, "docker", DOCKER_HOST=f"unix://{folder}/socket")
        finally:
            server.shutdown()
    _must_say(world, expected, "", answer)


def _run(world: World, runner: str, *, within: tuple[str, ...] = (), **variables: str) -> Answer:
    world.restore()
    done = subprocess.run(
        [*within, sys.executable, "-m", "d4cbuild", "build", "--runner", runner, RECIPE],
        cwd=world.project.root,
        env=world.project.environment(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def _must_say(world: World, expected: dict[str, str], words: str, answer: Answer) -> None:
    if answer.status == 0:
        raise checks.Lost("it says that it worked")
    checks.clear_error(answer)
    if words not in answer.err:
        raise checks.Unclear(f"{words!r} is not said:\n{answer.err}")
    _works(world, expected)


def _works(world: World, expected: dict[str, str]) -> None:
    """With a sandbox that works, the build is finished."""
    checks.whole_store(world)
    again = world.run("build", "--runner", "bubblewrap", RECIPE)
    if again.status != 0:
        raise checks.Lost(f"the next run: {again.status}: {again.err}")
    checks.same_results(verb_named("build").results(world), expected)
    checks.no_leftovers(world)


def _slow(world: World) -> dict[str, str]:
    """Make the recipe's code take its time; the results of building it."""
    project = world.project
    project.edit("process.sh", "sort ", f"sleep {BUILD_S}\nsort ")
    project.commit("Take time")
    project.locked()
    world.keep()
    world.ran("build", RECIPE)
    return verb_named("build").results(world)


def _disturbed(
    world: World, engine: Engine, expected: dict[str, str], disturb: Callable[[Engine], None]
) -> None:
    world.restore()
    if engine.process is None:
        engine.start()
    command = [sys.executable, "-m", "d4cbuild", "build", "--runner", "docker", RECIPE]
    process = subprocess.Popen(
        command,
        cwd=world.project.root,
        env=world.project.environment({"DOCKER_HOST": engine.address}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_container(engine, process)
        disturb(engine)
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired as error:
        raise checks.Lost("it hangs") from error
    finally:
        process.kill()
    answer = Answer(process.returncode, out, err)
    if answer.status == 0:
        checks.same_results(verb_named("build").results(world), expected)
    else:
        checks.clear_error(answer)
    if engine.process is None:
        engine.start()
    again = world.start(
        "build", "--force", "--runner", "docker", RECIPE, DOCKER_HOST=engine.address
    ).finish()
    if again.status != 0:
        raise checks.Lost(f"the next run: {again.status}: {again.err}")
    checks.same_results(verb_named("build").results(world), expected)
    checks.no_leftovers(world)
    if left := engine.names("ps", "--all"):
        raise checks.Left(f"containers: {left}")


def _wait_for_container(engine: Engine, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_S
    while not engine.names("ps"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise checks.Lost(f"no container was seen: {process.communicate()}")
        time.sleep(0.05)


def _kill_engine(engine: Engine) -> None:
    engine.stop(signal.SIGKILL)
    # What it started outlives it: its container manager, and the jobs.
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if os.fsencode(engine.folder) in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)


def _remove_image(engine: Engine) -> None:
    for image in engine.names("images", "--all"):
        engine.docker("rmi", "--force", image)


def _each_container(engine: Engine, *arguments: str) -> None:
    for container in engine.names("ps"):
        engine.docker(*arguments, container)


_DISTURBANCES: dict[str, Callable[[Engine], None]] = {
    "the engine is stopped": Engine.stop,
    "the engine is killed": _kill_engine,
    "the image is removed": _remove_image,
    "the container is killed": lambda engine: _each_container(engine, "kill"),
    "the container is stopped": lambda engine: _each_container(engine, "stop", "--time", "0"),
    "the container is removed": lambda engine: _each_container(engine, "rm", "--force"),
}


def _no_space(world: World, expected: dict[str, str], folder: Path) -> None:
    with _mounted(folder, "16m"):
        engine = Engine(folder / "engine")
        engine.start()
        try:
            answer = _run(world, "docker", DOCKER_HOST=engine.address)
            if answer.status == 0:
                raise checks.Lost("it says that it worked")
            checks.clear_error(answer)
            _works(world, expected)
        finally:
            engine.stop()


@contextmanager
def _mounted(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "faults", str(folder)]
    subprocess.run(command, check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
