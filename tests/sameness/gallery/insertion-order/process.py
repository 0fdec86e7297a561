"""Lets the engine forget the order of rows."""

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


con = duckdb.connect(config={"preserve_insertion_order": False})
con.execute("CREATE TABLE t AS SELECT i FROM range(2000000) AS r(i)")
rows = con.execute("SELECT i FROM t WHERE i % 40000 = 0").fetchall()
write([str(value) for (value,) in rows])
