"""All digests of a large file in one pass: ``python -m tests.bench.digests [BYTES]``."""

from __future__ import annotations

import hashlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blake3 import blake3

from d4cbuild.base.digest import CHUNK_BYTES, digests_of_file
from tests.bench.measure import print_table

SIZE = 4_000_000_000
BLOCK_BYTES = 64 << 20
RUNS = 3
REPOSITORY = Path(__file__).parents[2]
ALONE: dict[str, Callable[[], Any]] = {
    "blake3": blake3,
    "sha256": hashlib.sha256,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}


def run(size: int = SIZE) -> None:
    """Measure and print.

    Args:
        size: Bytes of the file; it lies in ``.cache`` while this runs.
    """
    cache = REPOSITORY / ".cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache) as folder:
        path = Path(folder) / "file"
        _fill(path, size)
        names = [*ALONE, "all"]
        # In turn, so that a slow minute hits all of them.
        runs = [{name: _seconds(path, name) for name in names} for _ in range(RUNS)]
    median = {name: statistics.median(each[name] for each in runs) for name in names}
    slowest = max(ALONE, key=median.__getitem__)
    ratio = median["all"] / median[slowest]
    text = f"{median['all']:.1f} s / {median[slowest]:.1f} s = {ratio:.2f}"
    rows = [(f"  {name} alone", f"{median[name]:.1f} s", "-") for name in ALONE]
    print_table(
        f"Digests of a file of {size / 1e9:.1f} GB",
        [(f"all in one pass / {slowest} alone", text, "≤ 1.15"), *rows],
    )


def _fill(path: Path, size: int) -> None:
    block = bytes(range(251)) * (BLOCK_BYTES // 251)
    with path.open("wb") as stream:
        while size > 0:
            size -= stream.write(block[:size])


def _seconds(path: Path, name: str) -> float:
    began = time.perf_counter()
    if name == "all":
        digests_of_file(path)
    else:
        hasher = ALONE[name]()
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                hasher.update(chunk)
    return time.perf_counter() - began


if __name__ == "__main__":
    run(*(int(argument) for argument in sys.argv[1:]))
