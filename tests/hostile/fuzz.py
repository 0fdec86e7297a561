"""Fuzzing of every parser: ``python -m tests.hostile.fuzz [--seconds N] [TARGET ...]``.

Each target gets bytes from two sources, each in a process of its own: atheris, led by which lines
were reached, and hypothesis, which cuts, doubles and changes good input. The seconds are divided
among targets. Findings are kept in ``corpus/TARGET``, where every test run reads them again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pinned_venv import ROOT, python_of
from tests.tally import Case, Fate, Tally

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
TOOLS = ("atheris", "hypothesis")
LARGEST_INPUT = 4096
MEMORY_MIB = 2048
SLOWEST_S = 20
_LARGEST_KEPT, _MOST_KEPT = 600, 12  # of what atheris found to reach new lines, for the repository


def main() -> int:
    """Fuzz targets, print a table; the exit status is 1 if there is a finding."""
    from tests.hostile.fuzz_targets import TARGETS

    names = [target.name for target in TARGETS]
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz")
    parser.add_argument("targets", nargs="*", default=names)
    parser.add_argument("--seconds", type=int, default=600, help="for each tool, over all targets")
    parser.add_argument("--keep", action="store_true", help="keep small inputs of new coverage too")
    options = parser.parse_args()
    tally = fuzz(options.targets, options.seconds, keep=options.keep)
    tally.print()
    return tally.status


def fuzz(names: list[str], seconds: int, *, keep: bool = False) -> Tally:
    """Fuzz targets with both tools.

    Args:
        names: Of the targets.
        seconds: For each tool, divided among the targets.
        keep: Whether to add what reached new lines to the corpus.
    """
    tally = Tally(f"Fuzzing, {seconds} s with each tool")
    for name in names:
        for tool in TOOLS:
            tally.add(_fuzz_one(tool, name, max(1, seconds // len(names)), keep))
    return tally


def _fuzz_one(tool: str, name: str, seconds: int, keep: bool) -> Case:
    with tempfile.TemporaryDirectory(prefix="d4cbuild-fuzz-") as made:
        folder = Path(made)
        grown, found = folder / "grown", folder / "found"
        grown.mkdir()
        found.mkdir()
        command = [sys.executable, "-m", "tests.hostile.fuzz_one", tool, name, str(seconds), made]
        site = python_of("fuzz").parents[1] / "lib"
        path = os.pathsep.join(map(str, [ROOT, *site.glob("python*/site-packages")]))
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "D4CBUILD_SETTINGS": os.devnull},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + 300,
            check=False,
        )
        if keep:
            _keep(grown, name)
        note = ""
        for finding in sorted(found.iterdir()):
            kept = _put(finding.read_bytes(), name)
            note += f"finding kept as {kept.relative_to(ROOT)}\n"
        if done.returncode != 0 and not note:
            note = "it ended without a finding\n"
        if note:
            note += "\n".join((done.stdout + done.stderr).splitlines()[-25:])
    again = f"python -m tests.hostile.fuzz --seconds 60 {name}"
    return Case(tool, name, Fate.LOST if note else Fate.SURVIVED, note, again)


def _put(data: bytes, name: str) -> Path:
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:12]
    path.write_bytes(data)
    return path


def _keep(grown: Path, name: str) -> None:
    small = [path.read_bytes() for path in grown.iterdir() if path.stat().st_size < _LARGEST_KEPT]
    for data in sorted(small, key=len)[-_MOST_KEPT:]:
        _put(data, name)


def replay(name: str) -> int:
    """Give a target every input of its corpus; returns how many there were."""
    from tests.hostile.fuzz_targets import TARGETS, run_target

    (target,) = (each for each in TARGETS if each.name == name)
    inputs = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    with tempfile.TemporaryDirectory(prefix="d4cbuild-fuzz-") as made:
        (Path(made) / "seeds").mkdir()
        for data in [*inputs, *target.seeds(Path(made) / "seeds")]:
            began_s = time.monotonic()
            run_target(target, data, Path(made) / "input")
            assert time.monotonic() - began_s < SLOWEST_S
    shutil.rmtree(made, ignore_errors=True)
    return len(inputs)


if __name__ == "__main__":
    sys.exit(main())
