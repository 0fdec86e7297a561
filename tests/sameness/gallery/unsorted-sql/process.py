"""Numbers the rows of a query that has no order."""

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
query = """
    SELECT k, row_number() OVER () AS n
    FROM (SELECT DISTINCT (i * 7919) % 100003 AS k FROM range(2000000) AS r(i))
    ORDER BY k
    LIMIT 50
"""
write([f"{k} is number {n}" for k, n in con.execute(query).fetchall()])
