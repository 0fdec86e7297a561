"""Orders rows by where they lie in memory."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


rows = [bytes(1 << (10 + number % 8)) for number in range(64)]
write([f"{len(row)} at {id(row)}" for row in sorted(rows, key=id)])
