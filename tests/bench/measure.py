"""Measuring whole processes, and printing what was measured. Nothing here judges."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

POLL_S = 0.01


@dataclass(frozen=True)
class Measurement:
    """Several runs of one command.

    Attributes:
        seconds: Wall-clock time of each run.
        peak_bytes: The largest resident size that the command's own process reached, and the copies
            it makes of itself.
    """

    seconds: tuple[float, ...]
    peak_bytes: int

    @property
    def median_s(self) -> float:
        """The middle one of the times."""
        return statistics.median(self.seconds)


def measure(
    command: Sequence[str],
    *,
    runs: int = 5,
    warm_up: int = 1,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    memory: bool = False,
) -> Measurement:
    """Run a command several times.

    Args:
        command: Program and arguments; it must succeed.
        runs: Runs that count.
        warm_up: Runs before them that do not.
        cwd: Where.
        env: Environment variables.
        memory: Also look at the process's size while it runs, which costs a little time.
    """
    times: list[float] = []
    peak = 0
    for run in range(warm_up + runs):
        began = time.perf_counter()
        with subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            if memory:
                peak = max(peak, _watch(process))
            _, errors = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{command} failed:\n{errors.decode(errors='replace')}")
        if run >= warm_up:
            times.append(time.perf_counter() - began)
    return Measurement(tuple(times), peak)


def _watch(process: subprocess.Popen[bytes]) -> int:
    """The largest size of a process and of the copies it makes of itself, together.

    What a copy shares with the process is counted twice.
    """
    peaks: dict[str, int] = {}
    while process.poll() is None:
        children = _read(f"/proc/{process.pid}/task/{process.pid}/children").split()
        for each in (str(process.pid), *children):
            found = re.search(r"VmHWM:\s+(\d+) kB", _read(f"/proc/{each}/status"))
            if found:
                peaks[each] = int(found[1]) * 1024
        time.sleep(POLL_S)
    return sum(peaks.values())


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended


def print_table(title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print measured values beside what is wanted of them."""
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("wanted", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=110).print(table)


def milliseconds(seconds: float) -> str:
    """0.1234 → ``123 ms``."""
    return f"{seconds * 1000:.0f} ms"


def machine() -> str:
    """One line on what was measured on."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return f"{model[1] if model else 'unknown CPU'}, {len(os.sched_getaffinity(0))} CPUs"
