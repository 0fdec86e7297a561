"""The normal form beside others: ``python -m tests.bench.normalform [ROWS [MANY_ROWS]]``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow.parquet as pq

from tests.bench.address_table import write_addresses, write_polygons
from tests.bench.measure import print_table

ROWS = 10_000_000
MANY_ROWS = 20_000_000
POLYGONS = 500_000
RUNS = 3
READS = 8
"""Reading is over soon, and what the system takes to hand out memory differs from run to run."""
QUERIES = 21
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Steps:
    """Several runs of one step: medians.

    Attributes:
        seconds: What the step says it took, or else the whole process.
        peak_bytes: The largest resident size.
    """

    seconds: float
    peak_bytes: float


def run(rows: int = ROWS, many: int = 0) -> None:
    """Measure and print.

    Args:
        rows: How many addresses; there are a twentieth as many polygons.
        many: How many addresses are sorted and written once more, for the memory it takes.
    """
    with tempfile.TemporaryDirectory(prefix="d4c-bench-") as folder:
        inside = Path(folder)
        polygons = POLYGONS * rows // ROWS
        write_addresses(inside / "shuffled", rows, shuffled=True)
        write_addresses(inside / "sorted", rows, shuffled=False)
        write_polygons(inside / "polygons", polygons)
        table = [*_sorting(inside), *_writing(inside), *_reading(inside), *_shapes(inside)]
        if many:
            table.append(_sorting_many(inside, many))
        print_table(f"The normal form: {rows:,} addresses, {polygons:,} polygons", table)


def _sorting(inside: Path) -> list[tuple[str, str, str]]:
    given, made, theirs = (str(inside / name) for name in ("shuffled", "ours", "duckdb"))
    ours, duckdb = _side_by_side(
        ("ours", given, made, "2", "id"), ("duckdb_sort", given, theirs, "2", "id")
    )
    return [
        ("sort and write / DuckDB", _ratio(ours.seconds, duckdb.seconds, "s"), "≤ 1.0"),
        ("  size of the file / DuckDB's", _sizes(made, theirs), "≤ 1.0"),
        ("  peak memory / DuckDB's", _megabytes(ours.peak_bytes, duckdb.peak_bytes), "≤ 1,396 MB"),
    ]


def _writing(inside: Path) -> list[tuple[str, str, str]]:
    given, made, theirs = (str(inside / name) for name in ("sorted", "held", "arrow"))
    ours, arrow = _side_by_side(("ours_held", given, made, "2"), ("arrow_held", given, theirs, "2"))
    return [
        ("write sorted rows / pyarrow, zstd", _ratio(ours.seconds, arrow.seconds, "s"), "≤ 0.7"),
        ("  size of the file / pyarrow's", _sizes(made, theirs), "≤ 0.85"),
    ]


def _reading(inside: Path) -> list[tuple[str, str, str]]:
    ours, theirs = str(inside / "held"), str(inside / "arrow")
    digest, whole = _side_by_side(("digest", ours), ("arrow_read", ours), runs=READS)
    read, other = _side_by_side(("arrow_read", ours), ("arrow_read", theirs), runs=READS)
    duckdb, others = _side_by_side(("duckdb_read", ours), ("duckdb_read", theirs), runs=READS)
    return [
        ("content digest / pyarrow reads", _ratio(digest.seconds, whole.seconds, "s"), "≤ 1.0"),
        ("pyarrow reads ours / its own", _ratio(read.seconds, other.seconds, "s"), "≤ 1.0"),
        ("DuckDB reads ours / pyarrow's", _ratio(duckdb.seconds, others.seconds, "s"), "≤ 1.0"),
    ]


def _sorting_many(inside: Path, rows: int) -> tuple[str, str, str]:
    given, made = inside / "many", inside / "many sorted"
    write_addresses(given, rows, shuffled=True)
    seconds, peak = _one(("ours", str(given), str(made), "2", "id"))
    text = f"{peak / 1e6:,.0f} MB in {seconds:.1f} s"
    return (f"peak memory sorting {rows:,} rows", text, "≤ 1,074 MB")


def _shapes(inside: Path) -> list[tuple[str, str, str]]:
    given, made, theirs = (str(inside / name) for name in ("polygons", "hilbert", "gpio"))
    ours, gpio, quick = _side_by_side(
        ("ours", given, made, "2", "hilbert(geometry)", "id"),
        ("gpio_sort", given, theirs, "15"),
        ("gpio_sort", given, f"{theirs} 3", "3"),
    )
    points = inside / "points"
    _one(("ours_points", str(inside / "shuffled"), str(points), "2"))
    return [
        (
            "polygons along the Hilbert curve / gpio",
            _ratio(ours.seconds, gpio.seconds, "s"),
            "≤ 1.0",
        ),
        ("  gpio at level 3 of Zstandard", _ratio(ours.seconds, quick.seconds, "s"), "≤ 1.0"),
        ("  size of the file / gpio's", _sizes(made, theirs), "≤ 1.0"),
        ("1 % of the addresses' box", f"{_share_read(points):.1%} of the bytes", "≤ 5 %"),
    ]


def _side_by_side(*steps: tuple[str, ...], runs: int = RUNS) -> list[Steps]:
    """Run the steps in turn, several times, so that a slow minute hits all of them.

    Each round begins with another step: memory that the step before left is had for less than
    memory that is fresh from the system.
    """
    found: list[list[tuple[float, float]]] = [[] for _ in steps]
    for number in range(runs * len(steps)):
        place = (number + number // len(steps)) % len(steps)
        found[place].append(_one(steps[place]))
    return [
        Steps(*(statistics.median(values) for values in zip(*results, strict=True)))
        for results in found
    ]


def _one(step: tuple[str, ...]) -> tuple[float, float]:
    command = [sys.executable, "-m", "tests.bench.normalform_step", *step]
    began = perf_counter()
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    whole = perf_counter() - began
    *seconds, peak = map(float, done.stdout.split())
    return seconds[0] if seconds else whole, peak


def _share_read(path: Path) -> float:
    """How much of a file queries for boxes of 1 % of its extent must read.

    Returns:
        The share of the bytes that lies in row groups with rows in the box; the median.
    """
    boxes = pq.read_table(path, columns=["bbox"]).column("bbox").combine_chunks().flatten()
    edges = np.stack([edge.to_numpy() for edge in boxes])
    low, high = edges[:2].min(axis=1), edges[2:].max(axis=1)
    chance = np.random.default_rng(1)
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    sizes = np.array([_bytes_of(group) for group in groups])
    starts = np.cumsum([0, *(group.num_rows for group in groups[:-1])])
    shares = []
    for _ in range(QUERIES):
        start = low + (high - low) * chance.uniform(0, 0.9, 2)
        end = start + (high - low) * 0.1
        hit = (edges[:2] <= end[:, None]).all(axis=0) & (edges[2:] >= start[:, None]).all(axis=0)
        shares.append(sizes[np.logical_or.reduceat(hit, starts)].sum() / path.stat().st_size)
    return statistics.median(shares)


def _bytes_of(group: pq.RowGroupMetaData) -> int:
    return sum(group.column(i).total_compressed_size for i in range(group.num_columns))


def _ratio(ours: float, theirs: float, unit: str) -> str:
    return f"{ours:.1f} {unit} / {theirs:.1f} {unit} = {ours / theirs:.2f}"


def _sizes(ours: str, theirs: str) -> str:
    return _megabytes(Path(ours).stat().st_size, Path(theirs).stat().st_size)


def _megabytes(ours: float, theirs: float) -> str:
    return f"{ours / 1e6:,.0f} MB / {theirs / 1e6:,.0f} MB = {ours / theirs:.2f}"


if __name__ == "__main__":
    run(*(int(argument) for argument in sys.argv[1:]))
