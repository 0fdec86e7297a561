"""Appends rows from several threads as they come."""

import os
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


rows: list[str] = []
start = threading.Barrier(16)


def work(number: int) -> None:
    """Add rows while others do."""
    start.wait()
    for step in range(200):
        rows.append(f"{number}.{step}")
        sum(range(2000))


threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
write(rows)
