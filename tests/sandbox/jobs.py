"""Running a small program as a job, the way a build does."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d4cbuild.sandbox.image import Image
from d4cbuild.sandbox.job import Job, Limits, Outcome, Runner

MIB = 1 << 20
EPOCH_S = 1_600_000_000
PARAMETERS = '{"answer":42}\n'
SOURCE = b"raw bytes\n"
# What a hostile job tries, it tries through this: one line each, with the kernel's answer.
ATTEMPTS = """
import errno
def attempt(name, action):
    try:
        action()
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, str(error)), flush=True)
    except ValueError:
        print(name, "ValueError", flush=True)  # how Python puts a refused limit
    else:
        print(name, "DONE", flush=True)

def call(number, *arguments):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
"""


@dataclass(frozen=True)
class Ran:
    """A finished job: how it ended, what it printed, and where on the host its outputs lie."""

    outcome: Outcome
    log: str
    out: Path
    job: Job

    @property
    def answers(self) -> dict[str, str]:
        """What :data:`ATTEMPTS` printed, by name."""
        return dict(line.rsplit(" ", 1) for line in self.log.splitlines())


def make_job(
    image: Image, folder: Path, program: str | Sequence[str], limits: dict[str, Any]
) -> Job:
    """Lay a job out in a new folder.

    Args:
        image: Its root filesystem.
        folder: Where; must not exist.
        program: Python code, or a command.
        limits: Fields of :class:`Limits` that are not the usual ones.
    """
    folder.mkdir(parents=True)
    for name in ("code", "lib", "run"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    (folder / "lib" / "attempts.py").write_text(ATTEMPTS)
    (folder / "parameters.json").write_text(PARAMETERS)
    (folder / "source").write_bytes(SOURCE)
    command: Sequence[str] = program if not isinstance(program, str) else ("python3", "job.py")
    if isinstance(program, str):
        (folder / "code" / "job.py").write_text(program)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    usual = {"cpus": 1, "memory": 512 * MIB, "disk": 64 * MIB, "time_s": 60, "processes": 64}
    return Job(
        image=image,
        command=tuple(command),
        sources=(("raw", folder / "source"),),
        code=folder / "code",
        parameters=folder / "parameters.json",
        lib=folder / "lib",
        scratch=folder / "run",
        limits=Limits(**{**usual, **limits}),
        source_date_epoch=EPOCH_S,
    )


def run(runner: Runner, job: Job) -> Ran:
    """Run a job, and read what it printed."""
    log = io.BytesIO()
    outcome = runner.run(job, log)
    return Ran(outcome, log.getvalue().decode(errors="replace"), job.out, job)
