"""What hostile code would like to reach, and what of the host must be as it was afterwards."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import random_token
from d4cbuild.sandbox.docker import LABEL, DockerRunner
from d4cbuild.sandbox.job import Runner


@dataclass(frozen=True)
class Surroundings:
    """Sentinels on the host.

    Attributes:
        folder: Where jobs and stores of the tests lie.
        canary: A file with a secret in it.
        secret: The secret, which must turn up nowhere.
        process: A process that must go on.
        port: Of a server on 127.0.0.1.
        abstract: The name of an abstract socket.
    """

    folder: Path
    canary: Path
    secret: str
    process: subprocess.Popen[bytes]
    port: int
    abstract: str

    @property
    def constants(self) -> str:
        """The names hostile programs know them by, as Python code."""
        return (
            "from attempts import attempt, call\n"
            f"HOST_PID, PORT, ABSTRACT = {self.process.pid}, {self.port}, {self.abstract!r}\n"
            f"CANARY = {str(self.canary)!r}\n"
        )

    def harm(self) -> str:
        """What was done to them; nothing if all is well."""
        if self.process.poll() is not None:
            return "a process of the host was ended"
        if self.canary.read_text() != self.secret or self.canary.stat().st_mode & 0o777 != 0o600:
            return "a file of the host was changed"
        return ""

    def leftovers(self, runner: Runner) -> str:
        """What is left of jobs that are over; nothing if all is well."""
        found = [f"mount {line}" for line in _mounts(Path("/proc/self"), self.folder)]
        for process in Path("/proc").glob("[0-9]*"):
            if process.name != str(os.getpid()) and _mounts(process, self.folder / "jobs"):
                found.append(f"process {process.name}")
        ours = f"d4cbuild-{os.getpid()}-"
        for top, names, _ in os.walk("/sys/fs/cgroup"):  # others come and go meanwhile
            found += [f"group {top}/{name}" for name in names if name.startswith(ours)]
        if isinstance(runner, DockerRunner):
            filters = {"label": f"{LABEL}.process={os.getpid()}"}
            api = runner._client.api
            found += [f"container {each['Id']}" for each in api.containers(True, filters=filters)]
        return ", ".join(found)


def _mounts(process: Path, folder: Path) -> list[str]:
    try:
        lines = (process / "mountinfo").read_text().splitlines()
    except OSError:
        return []  # it has ended since
    return [line for line in lines if str(folder) in line]


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Put sentinels up, and take them down."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="d4cbuild-hostile-")))
        (folder / "jobs").mkdir()
        secret = f"secret-{random_token()}"
        canary = folder / "canary"
        canary.touch(0o600)
        canary.write_text(secret)
        process = stack.enter_context(subprocess.Popen(["sleep", "7200"]))
        stack.callback(process.kill)
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = f"d4cbuild-{random_token()}"
        for name in ("\0" + abstract, f"{canary}.socket"):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(name)
            listening.listen()
        yield Surroundings(folder, canary, secret, process, server.getsockname()[1], abstract)
