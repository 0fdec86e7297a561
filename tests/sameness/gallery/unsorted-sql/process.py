"""Strings rows together in the order in which threads come to them."""

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
con.execute("CREATE TABLE t AS SELECT (i * 7919) % 100003 AS k FROM range(2000000) AS r(i)")
query = """
    SELECT k % 20 AS kind, md5(string_agg(k, ',')) AS digest
    FROM t
    GROUP BY kind
    ORDER BY kind
"""
write([digest for _, digest in con.execute(query).fetchall()])
