"""A process that has imported everything already, and forks for each run of ``d4cbuild``.

A run begins as a program's does, in a process group, folder and environment of its own; only the
time for starting Python and importing is saved, which is most of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from d4cbuild.cli.main import COMMANDS, main
from tests.project import Answer

LIMIT_S = 120
"""What takes longer hangs."""
HUNG = 124
_IMPORTED = (
    *(f"d4cbuild.cli.{module}" for module, _ in COMMANDS.values()),
    *("pygit2", "requests", "d4cbuild.build.pushing", "d4cbuild.attest.keys"),
)


@dataclass
class Run:
    """A run that was begun.

    Attributes:
        pid: Its process, which is also its process group.
    """

    pid: int
    _warm: Warm
    _out: Path
    _err: Path

    def finish(self) -> Answer:
        """Wait for it; what hangs is killed, and has the status of a timeout (124)."""
        try:
            signal.alarm(LIMIT_S)
            status = self._warm.read()["status"]
        except TimeoutError:
            self.kill()
            self._warm.read()
            status = HUNG
        finally:
            signal.alarm(0)
        out, err = (path.read_text(errors="replace") for path in (self._out, self._err))
        return Answer(status, out, err)

    def kill(self) -> None:
        """Kill the process group, as whoever has lost patience."""
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(self.pid, signal.SIGSTOP)
        for end in (os.killpg, os.kill):  # it may not have a group of its own yet
            with contextlib.suppress(ProcessLookupError):
                end(self.pid, signal.SIGKILL)


class Warm:
    """The process, and what it is asked to run."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        signal.signal(signal.SIGALRM, _too_long)

    def start(self, arguments: tuple[str, ...], cwd: Path, environment: dict[str, str]) -> Run:
        """Begin a run."""
        out, err = self._folder / "out", self._folder / "err"
        request = {
            "arguments": arguments,
            "cwd": str(cwd),
            "environment": environment,
            "out": str(out),
            "err": str(err),
        }
        assert self._process.stdin is not None  # asked for when it was started
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return Run(self.read()["pid"], self, out, err)

    def run(self, arguments: tuple[str, ...], cwd: Path, environment: dict[str, str]) -> Answer:
        """Run to the end."""
        return self.start(arguments, cwd, environment).finish()

    def read(self) -> Any:
        """What it says next."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError


@contextlib.contextmanager
def warm(library: Path) -> Iterator[Warm]:
    """Start it, with a library preloaded."""
    with tempfile.TemporaryDirectory(prefix="faults-warm-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.warm"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "LD_PRELOAD": str(library)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield Warm(process, Path(folder))
        finally:
            process.kill()
            process.communicate()


def _serve() -> None:
    for name in _IMPORTED:
        import_module(name)
    for line in sys.stdin:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _run(json.loads(line))
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


def _run(request: dict[str, Any]) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    for number, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(path, flags), number)
    ctypes.CDLL(None).faults_begin()
    sys.argv = ["d4cbuild", *request["arguments"]]
    status = 1
    try:
        main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 what Python itself would print, and end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
