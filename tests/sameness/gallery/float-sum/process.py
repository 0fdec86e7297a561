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
con.execute("CREATE TABLE t AS SELECT i, sin(i) * 1e6 AS v FROM range(3000000) AS r(i)")
query = """
    SELECT i % 50 AS kind, sum(v) AS total
    FROM t
    GROUP BY kind
    ORDER BY kind
"""
write([float(total).hex() for _, total in con.execute(query).fetchall()])
