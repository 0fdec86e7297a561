"""A control group for one run, where this machine lets us make one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import random_token, sleep_s
from d4cbuild.sandbox.job import Limits

_ROOT = Path("/sys/fs/cgroup")
_REMOVE_ATTEMPTS = 50
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
        """Remove the folders; the kernel lets go of them shortly after the last process."""
        for folder in {self.memory, self.pids}:
            for attempt in range(_REMOVE_ATTEMPTS):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    if attempt == _REMOVE_ATTEMPTS - 1:
                        raise
                    sleep_s(_REMOVE_PAUSE_S)


def make_control_group(limits: Limits) -> ControlGroup | None:
    """Make a group with these limits, or return ``None`` where this user may not."""
    name = f"d4cbuild-{random_token()}"
    try:
        if (_ROOT / "cgroup.controllers").exists():
            return _make_version_2(_ROOT / name, limits)
        return _make_version_1(name, limits)
    except OSError:
        return (
            None  # no such controller, or not ours to use: the caller watches instead and says so
        )


def _make_version_2(folder: Path, limits: Limits) -> ControlGroup:
    folder.mkdir()
    try:
        (folder / "memory.max").write_text(str(limits.memory))
        (folder / "pids.max").write_text(str(limits.processes))
        swap = folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
    except OSError:
        folder.rmdir()
        raise
    return ControlGroup(folder, folder, 2)


def _make_version_1(name: str, limits: Limits) -> ControlGroup:
    made: list[Path] = []
    try:
        for controller, file, value in (
            ("memory", "memory.limit_in_bytes", limits.memory),
            ("pids", "pids.max", limits.processes),
        ):
            folder = _ROOT / controller / name
            folder.mkdir()
            made.append(folder)
            (folder / file).write_text(str(value))
    except OSError:
        for folder in made:
            folder.rmdir()
        raise
    return ControlGroup(made[0], made[1], 1)


def _counter(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
