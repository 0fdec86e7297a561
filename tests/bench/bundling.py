"""Bundling a large dataset fat, beside `tar` of the same files."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from d4cbuild.base.progress import Silence
from d4cbuild.environment.definition import EnvironmentFolder
from d4cbuild.environment.images import ensure_image
from d4cbuild.store import Store
from tests.bench.measure import Measurement, measure, print_table

RUNS = 9
REPOSITORY = Path(__file__).parents[2]
D4CBUILD = (sys.executable, "-m", "d4cbuild")


def run(raw_files: Path | None) -> None:
    """Measure and print.

    Both sides read the same bytes from a warm cache, and leave their files on the disk: what
    ``bundle`` does for each file, ``sync FILE`` does for the tar. Both are timed to there. What
    either wrote is removed, and that brought to the disk too, before the other begins.

    Args:
        raw_files: The folder of real files; without it, a smaller recipe is bundled.
    """
    store = Store(REPOSITORY / ".cache" / "store")
    ensure_image(EnvironmentFolder(REPOSITORY / "environments" / "geo"), store, Silence())
    name = "statcan-odhf" if raw_files is None else "elections-canada-pollresults"
    mirror = () if raw_files is None else ("--mirror", str(raw_files))
    env = {**os.environ, "D4CBUILD_STORE": str(store.root)}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=REPOSITORY / ".cache") as folder:
        place = Path(folder)
        options = (*mirror, "--dist", str(place / "dist"))
        command = (*D4CBUILD, "build", *options, f"recipes/{name}")
        subprocess.run(command, cwd=REPOSITORY, env=env, check=True, stdout=subprocess.DEVNULL)
        bundle = (*D4CBUILD, "bundle", "--fat", *options, f"recipes/{name}", "--output")
        print_table(f"Bundling {name} fat", _rows(place, bundle, env))


def _rows(place: Path, bundle: tuple[str, ...], env: dict[str, str]) -> list[tuple[str, str, str]]:
    kept = place / "kept"
    _once((*bundle, str(kept)), env)
    # The first round warms the cache. Its size is looked at in that one alone: to look takes time.
    warm, _ = _round(place, bundle, kept, env, memory=True)
    # Side by side, so that a slow minute hits both.
    rounds = [_round(place, bundle, kept, env) for _ in range(RUNS)]
    bundling = statistics.median(one.median_s for one, _ in rounds)
    packing = statistics.median(other.median_s for _, other in rounds)
    ratios = statistics.median(one.median_s / other.median_s for one, other in rounds)
    return [
        ("bundle --fat", f"{bundling:.2f} s", "-"),
        ("tar of the same files, then sync of the tar", f"{packing:.2f} s", "-"),
        ("bundle ÷ tar and sync, median of rounds", f"{ratios:.2f}", "≤ 1.3"),
        ("peak memory of bundle", f"{warm.peak_bytes / 1e6:.0f} MB", "≤ 200 MB"),
    ]


def _round(
    place: Path, bundle: tuple[str, ...], kept: Path, env: dict[str, str], *, memory: bool = False
) -> tuple[Measurement, Measurement]:
    output, packed = place / "bundles", place / "all.tar"
    one = _once((*bundle, str(output)), env, memory=memory)
    _remove(output)
    script = 'tar -cf "$1" -C "$2" . && sync "$1"'
    other = _once(("sh", "-c", script, "sh", str(packed), str(kept)), env)
    _remove(packed)
    return one, other


def _remove(path: Path) -> None:
    subprocess.run(("rm", "-r", str(path)), check=True)
    os.sync()  # nothing of it is left to be done while the next is timed


def _once(command: tuple[str, ...], env: dict[str, str], *, memory: bool = False) -> Measurement:
    return measure(command, runs=1, warm_up=0, cwd=REPOSITORY, env=env, memory=memory)
