"""``make faults``: breaks d4cbuild in every way we can think of, and counts what became of it."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.faults import company, disk, engines, kill, rot, servers
from tests.faults.case import Kind, Settings
from tests.faults.interposer import library
from tests.faults.warm import warm
from tests.tally import Case, Tally

KINDS: dict[str, Kind] = {
    "kill": kill.cases,
    "disk": disk.cases,
    "rot": rot.cases,
    "company": company.cases,
    "servers": servers.cases,
    "engines": engines.cases,
}


def main() -> int:
    """Read the command line, run, print the table."""
    given = _read_command_line()
    print(f"seed {given.seed}", flush=True)
    tally = Tally("Faults")
    for kind in given.kinds or KINDS:
        began = time.monotonic()
        with ProcessPoolExecutor(given.workers) as pool:
            parts = [pool.submit(_part, kind, given, part) for part in range(given.workers)]
            for part in parts:
                tally.add_all(part.result())
        print(f"{kind}: {time.monotonic() - began:.0f} s", flush=True)
    tally.print()
    return tally.status


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; all if none is named")
    parser.add_argument("--quick", action="store_true", help="only a small selection")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--workers", type=int, default=2, help="processes that run cases")
    parser.add_argument("--case", help="run this one alone")
    given = parser.parse_args()
    if unknown := set(given.kinds) - KINDS.keys():
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    if given.case:
        given.workers = 1
    return given


def _part(kind: str, given: argparse.Namespace, part: int) -> list[Case]:
    done = []
    with room() as folder, warm(library()) as process:
        settings = Settings(
            folder, given.seed, given.quick, process, given.case, part, given.workers
        )
        for case in KINDS[kind](settings):
            done.append(case)
            if len(done) % 50 == 0:
                print(f"{kind}, process {part}: {len(done)} cases", flush=True)
            if case.note:
                print(f"{case.name}: {case.fate}: {case.note}", flush=True)
    return done


@contextmanager
def room() -> Iterator[Path]:
    """A folder in memory, so that nothing waits for other work of the machine's disk."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        command = ["mount", "-t", "tmpfs", "-o", "size=4g,mode=0755", "faults", name]
        subprocess.run(command, check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


def _in_own_mounts() -> None:
    """Go on where what is mounted is gone as soon as this process is."""
    if "FAULTS_MOUNTS" not in os.environ:
        variables = {**os.environ, "FAULTS_MOUNTS": "own"}
        command = ["unshare", "--mount", sys.executable, "-m", "tests.faults", *sys.argv[1:]]
        os.execvpe(command[0], command, variables)  # noqa: S606 - the same program again


if __name__ == "__main__":
    _in_own_mounts()
    sys.exit(main())
