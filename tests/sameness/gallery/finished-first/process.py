"""Takes results in the order in which they are finished."""

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


def work(number: int) -> str:
    """Do about the same as the others."""
    return f"{number}: {sum(range(20_000 + number % 3))}"


with ThreadPoolExecutor(8) as pool:
    futures = [pool.submit(work, number) for number in range(200)]
    write([future.result() for future in as_completed(futures)])
