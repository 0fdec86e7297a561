"""Limits that are kept by looking: time and disk everywhere, memory where no cgroup does it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import monotonic_s
from d4cbuild.sandbox.job import Limits

POLL_S = 0.05
_BLOCK_BYTES = 512
# What every file and folder counts at least: else a million empty ones would count nothing.
ENTRY_BYTES = 4096
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass
class Watch:
    """Looks at a running job now and then.

    Args:
        limits: What it may use.
        scratch: The host folder that holds its writable places.
        process: The job's first process on the host; 0 if it is not known.
        alone: Whether nothing else limits memory and processes.
    """

    limits: Limits
    scratch: Path
    process: int
    alone: bool = False

    def __post_init__(self) -> None:
        self._started_s = monotonic_s()
        self._device = self.scratch.stat().st_dev

    @property
    def seconds(self) -> float:
        """How long the job has run."""
        return monotonic_s() - self._started_s

    def exceeded(self) -> str | None:
        """The limit that the job has gone beyond, if any."""
        if self.seconds > self.limits.time_s:
            return "time"
        family = list(_family(self.process))
        hidden = _unlinked(family)
        on_disk = sum(size for device, size in hidden if device == self._device)
        if on_disk + disk_usage(self.scratch, self.limits.disk) > self.limits.disk:
            return "disk"
        if self.alone:
            in_memory = sum(size for device, size in hidden if device != self._device)
            if in_memory + sum(map(_memory, family)) > self.limits.memory:
                return "memory"
            if sum(map(_threads, family)) - 1 > self.limits.processes:  # bubblewrap's own is one
                return "processes"
        return None

    def exceeded_at_the_end(self) -> str | None:
        """The limit that what the job has left goes beyond, if any."""
        used = disk_usage(self.scratch, self.limits.disk)
        return "disk" if used > self.limits.disk else None


def disk_usage(folder: Path, enough: int) -> int:
    """Bytes that a folder's files take on the disk; each entry counts at least 4096.

    Args:
        folder: The folder; what another user has closed in it counts nothing.
        enough: Stop counting beyond this many bytes. Also returned for paths longer than the
            system can name, below which nothing can be counted.
    """
    total = 0
    linked: set[int] = set()
    waiting = [str(folder)]
    while waiting and total <= enough:
        place = waiting.pop()
        try:
            for entry in _entries(place):
                with suppress(*_GONE):
                    state = entry.stat(follow_symlinks=False)
                    size = 0 if state.st_ino in linked else state.st_blocks * _BLOCK_BYTES
                    if state.st_nlink > 1:
                        linked.add(state.st_ino)
                    total += max(size, ENTRY_BYTES)
                    if stat.S_ISDIR(state.st_mode):
                        waiting.append(entry.path)
        except (*_GONE, NotADirectoryError):
            continue  # the job has removed or replaced it since
        except OSError:  # the name is too long
            return enough + ENTRY_BYTES
    return total


def _entries(place: str) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(place))
    except PermissionError:
        # Closed by the job. Opened again without following a link that may have taken its place.
        descriptor = os.open(place, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY)
        try:
            Path(f"/proc/self/fd/{descriptor}").chmod(0o700)
        finally:
            os.close(descriptor)
        return list(os.scandir(place))


def children(process: int) -> list[int]:
    """The processes that a process has made and that still are; none if it has ended itself."""
    found: list[int] = []
    with suppress(*_GONE):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _family(first: int) -> Iterator[Path]:
    """A process and all below it, as their folders in /proc."""
    waiting = [first] if first else []
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        if folder.exists():  # else it has ended since
            waiting += children(int(folder.name))
            yield folder


def _unlinked(family: list[Path]) -> list[tuple[int, int]]:
    """Device and bytes of files that have no name any more but are still open."""
    found: dict[tuple[int, int], int] = {}
    for folder in family:
        with suppress(*_GONE):
            for descriptor in (folder / "fd").iterdir():
                with suppress(*_GONE):
                    state = descriptor.stat()
                    if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
                        key = (state.st_dev, state.st_ino)
                        found[key] = state.st_blocks * _BLOCK_BYTES
    return [(device, size) for (device, _), size in found.items()]


def _memory(folder: Path) -> int:
    """Bytes of a process's memory that no file on a disk backs."""
    with suppress(*_GONE):
        lines = (folder / "status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return sum(int(fields.get(name, "0").split()[0]) << 10 for name in ("RssAnon", "RssShmem"))
    return 0


def _threads(folder: Path) -> int:
    with suppress(*_GONE):
        return len(list((folder / "task").iterdir()))
    return 0
