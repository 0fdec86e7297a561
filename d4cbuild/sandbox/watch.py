"""Limits that are kept by looking: time and disk everywhere, memory where no cgroup does it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from d4cbuild.base.ambient import monotonic_s
from d4cbuild.sandbox.job import Limits

POLL_S = 0.05
BLOCK_BYTES = 512
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Watch:
    """Looks at a running job now and then.

    Args:
        limits: What it may use.
        scratch: The host folder that holds its writable places.
        process: The job's first process on the host, where memory and processes are to be looked
            at too; ``None`` where a cgroup or an engine limits these.
    """

    limits: Limits
    scratch: Path
    process: int | None = None

    def __post_init__(self) -> None:
        self._started_s = monotonic_s()

    @property
    def seconds(self) -> float:
        """How long the job has run."""
        return monotonic_s() - self._started_s

    def exceeded(self) -> str | None:
        """The limit that the job has gone beyond, if any."""
        if self.seconds > self.limits.time_s:
            return "time"
        if disk_usage(self.scratch, self.limits.disk) > self.limits.disk:
            return "disk"
        if self.process is not None:
            memory, processes = _tree_usage(self.process)
            if memory > self.limits.memory:
                return "memory"
            if processes > self.limits.processes:
                return "processes"
        return None


def disk_usage(folder: Path, enough: int) -> int:
    """Bytes that a folder's files take on the disk.

    Args:
        folder: The folder; what cannot be read in it counts nothing.
        enough: Stop counting beyond this many bytes.
    """
    total = 0
    waiting = [str(folder)]
    while waiting and total <= enough:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _entry_usage(entry)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except (FileNotFoundError, PermissionError):
            continue  # the job has removed or closed it since
    return total


def _entry_usage(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
    except FileNotFoundError:
        return 0  # the job has removed it since


def _tree_usage(first: int) -> tuple[int, int]:
    """Resident memory that is not shared with files, and threads, of a process and all below it."""
    memory = threads = 0
    waiting = [first]
    while waiting:
        process = waiting.pop()
        folder = Path(f"/proc/{process}")
        try:
            resident, shared = (folder / "statm").read_text().split()[1:3]
            memory += (int(resident) - int(shared)) * _PAGE_BYTES
            tasks = list((folder / "task").iterdir())
            threads += len(tasks)
            for task in tasks:
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since
    return memory, threads
