"""Writes where recipe and store lie on the machine."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


mounted = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
places = sorted(line.split()[3] for line in mounted.splitlines() if " /d4c/" in line)
write([str(Path.cwd()), *places])
