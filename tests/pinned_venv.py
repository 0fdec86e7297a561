"""Virtual environments of their own for tools that are too heavy, or too particular, for ours.

``tests/pinned/NAME.in`` says what is wanted, ``NAME.txt`` pins it by hash (``make requirements``).
Each is installed once and kept under ``.cache``, also for other clones that share it.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
_DONE = "installed"


def python_of(name: str) -> Path:
    """The Python of an environment with exactly what ``tests/pinned/NAME.txt`` pins.

    A change of the pins or of our own Python makes another environment.
    """
    pins = ROOT / "tests" / "pinned" / f"{name}.txt"
    key = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    # Its scripts name the folder, so it must be the one that stays where a clone's is a link.
    folder = (ROOT / ".cache").resolve() / "venvs" / f"{name}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with _alone(folder.with_suffix(".lock")):
        if not (folder / _DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
            _run(*pip, "--require-hashes", "--only-binary=:all:", "-r", str(pins))
            (folder / _DONE).touch()
    return python


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
