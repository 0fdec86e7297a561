"""Adds floating-point numbers in the order in which threads come to them."""

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


con = duckdb.connect()
con.execute("CREATE TABLE t AS SELECT sin(i) * 1e6 AS v FROM range(3000000) AS r(i)")
(total,) = con.execute("SELECT sum(v) FROM t").fetchone()
write([float(total).hex()])
