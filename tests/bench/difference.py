"""``diff`` beside reading both files with pyarrow: ``python -m tests.bench.difference [ROWS]``."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.bench.address_table import write_addresses
from tests.bench.measure import print_table

ROWS = 1_500_000
CHANGED = 10
RUNS = 3
COLUMNS = ("city", "street_name", "longitude", "postal_code", "latitude")
REPOSITORY = Path(__file__).parents[2]
MAKE = (sys.executable, "-m", "tests.bench.difference", "make")
READ = "import sys, pyarrow.parquet as pq\nfor path in sys.argv[1:]: pq.read_table(path)"


def run(rows: int = ROWS) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="d4c-bench-") as folder:
        inside = Path(folder)
        # In a process of its own: a child's peak is counted from what its parent holds.
        subprocess.run((*MAKE, folder, str(rows)), cwd=REPOSITORY, check=True)
        lines = [
            line
            for name, what in (
                ("alike", "10 changed cells, the same writer"),
                ("otherwise", "10 changed cells, another writer"),
                ("shuffled", "10 changed cells, rows shuffled"),
            )
            for line in _compare(inside / "a", inside / name, what)
        ]
        print_table(f"diff of two files of {rows:,} rows", lines)


def make_files(inside: Path, rows: int) -> None:
    """Write the files that are compared."""
    write_addresses(inside / "a", rows, shuffled=False)
    table = _with_changes(pq.read_table(inside / "a"))
    order = np.random.default_rng(1).permutation(rows)
    pq.write_table(table, inside / "alike", row_group_size=250_000)
    pq.write_table(table, inside / "otherwise", compression="zstd", row_group_size=100_000)
    pq.write_table(table.take(order), inside / "shuffled")


def _with_changes(table: pa.Table) -> pa.Table:
    for number in range(CHANGED):
        name = COLUMNS[number % len(COLUMNS)]
        column = table.column(name).combine_chunks()
        row = (number * table.num_rows) // CHANGED + 7
        value = pa.array([0.5 if pa.types.is_floating(column.type) else "CHANGED"], column.type)
        cells = pa.concat_arrays([column.slice(0, row), value, column.slice(row + 1)])
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), cells)
    return table


def _compare(a: Path, b: Path, what: str) -> list[tuple[str, str, str]]:
    diffs, reads, peaks, named = [], [], [], set()
    for _ in range(RUNS):
        seconds, _, _ = _one(sys.executable, "-c", READ, str(a), str(b))
        reads.append(seconds)
        command = ("-m", "d4cbuild", "diff", "--json", str(a), str(b))
        seconds, peak, said = _one(sys.executable, *command)
        diffs.append(seconds)
        peaks.append(peak)
        named.add(_named(said))
    ours, theirs = statistics.median(diffs), statistics.median(reads)
    wanted = "≤ 3" if "shuffled" not in what else "-"
    return [
        (what, f"{ours:.1f} s / {theirs:.1f} s reading = {ours / theirs:.1f}", wanted),
        ("  cells named", ", ".join(map(str, sorted(named))), str(CHANGED)),
        ("  peak memory", f"{max(peaks) / 1e6:,.0f} MB", "≤ 1,000 MB"),
    ]


def _named(said: str) -> int:
    findings = json.loads(said)["findings"]
    return sum(len(finding["examples"]) for finding in findings if finding["of"] == "cells")


def _one(*command: str) -> tuple[float, int, str]:
    began = perf_counter()
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 12):
        raise RuntimeError(f"{command} failed")
    return perf_counter() - began, usage.ru_maxrss * 1024, said


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        make_files(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        run(*(int(argument) for argument in sys.argv[1:]))
