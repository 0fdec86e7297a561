"""Writes the mode of a file that it made."""

import os
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


made = Path("/tmp/made")
made.write_bytes(b"")
write([stat.filemode(made.stat().st_mode)])
