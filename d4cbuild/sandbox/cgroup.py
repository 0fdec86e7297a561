"""A control group for one run, where this machine lets us make one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import is_alive, process_id, random_token, sleep_s
from d4cbuild.sandbox.job import Limits

_ROOT = Path("/sys/fs/cgroup")
_PREFIX = "d4cbuild-"
_OF_BUBBLEWRAP = 1  # its own process is in the group, and not the job's
_REMOVE_ATTEMPTS = 100
_REMOVE_PAUSE_S = 0.02


@dataclass(frozen=True)
class ControlGroup:
    """One or, in version 1, two folders of the cgroup file system.

    Attributes:
        memory: The folder that limits memory.
        pids: The folder that limits processes; the same one in version 2.
        version: 1 or 2.
    """

    memory: Path
    pids: Path
    version: int

    @property
    def entrances(self) -> tuple[str, ...]:
        """Files a process writes ``0`` to, to enter."""
        return tuple(str(folder / "cgroup.procs") for folder in sorted({self.memory, self.pids}))

    def exceeded(self) -> str | None:
        """The limit that was hit, if any."""
        events = "memory.events" if self.version == 2 else "memory.oom_control"
        if _counter(self.memory / events, "oom_kill"):
            return "memory"
        if _counter(self.pids / "pids.events", "max"):
            return "processes"
        return None

    def remove(self) -> None:
        """Kill what is still in it, and remove the folders once the kernel lets go of them."""
        for folder in sorted({self.memory, self.pids}):
            for attempt in range(_REMOVE_ATTEMPTS):
                try:
                    _kill_all(folder)
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if attempt == _REMOVE_ATTEMPTS - 1:
                        raise
                    sleep_s(_REMOVE_PAUSE_S)


@contextmanager
def control_group(limits: Limits) -> Iterator[ControlGroup | None]:
    """Give a group with these limits, or ``None`` where this user may not make one."""
    group = _make(limits)
    try:
        yield group
    finally:
        if group is not None:
            group.remove()


def _make(limits: Limits) -> ControlGroup | None:
    name = f"{_PREFIX}{process_id()}-{random_token()}"
    second = (_ROOT / "cgroup.controllers").exists()
    try:
        if second:
            _sweep(_ROOT)
            return _make_version_2(_ROOT / name, limits)
        _sweep(_ROOT / "memory")
        _sweep(_ROOT / "pids")
        return _make_version_1(name, limits)
    except OSError:
        return None  # no such controller, or not ours to use: the caller watches, and says so


def _make_version_2(folder: Path, limits: Limits) -> ControlGroup:
    folder.mkdir()
    try:
        (folder / "memory.max").write_text(str(limits.memory))
        (folder / "pids.max").write_text(str(limits.processes + _OF_BUBBLEWRAP))
        _forbid(folder / "memory.swap.max", 0)
    except OSError:
        folder.rmdir()
        raise
    return ControlGroup(folder, folder, 2)


def _make_version_1(name: str, limits: Limits) -> ControlGroup:
    made: list[Path] = []
    try:
        for controller, file, value in (
            ("memory", "memory.limit_in_bytes", limits.memory),
            ("pids", "pids.max", limits.processes + _OF_BUBBLEWRAP),
        ):
            folder = _ROOT / controller / name
            folder.mkdir()
            made.append(folder)
            (folder / file).write_text(str(value))
        _forbid(made[0] / "memory.memsw.limit_in_bytes", limits.memory)
    except OSError:
        for folder in made:
            folder.rmdir()
        raise
    return ControlGroup(made[0], made[1], 1)


def _forbid(swap: Path, limit: int) -> None:
    """Allow no swap, on kernels that count it."""
    if swap.exists():
        swap.write_text(str(limit))


def _sweep(folder: Path) -> None:
    """Remove groups of d4cbuild processes that were killed before they could."""
    for left in folder.glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not is_alive(int(owner)):
            with suppress(OSError):  # its last processes are still ending: the next run's turn
                left.rmdir()


def _kill_all(folder: Path) -> None:
    for process in (folder / "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)


def _counter(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
