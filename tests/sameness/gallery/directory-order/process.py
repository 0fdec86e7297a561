"""Numbers files in the order in which the folder lists them."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


write([path.stem for path in Path(os.environ["D4C_SOURCES"]).iterdir()])
