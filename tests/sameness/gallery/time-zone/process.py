"""Shows an instant in the zone of the machine."""

import datetime
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write(values: list[str]) -> None:
    """Write one numbered row for each value."""
    table = pa.table({"number": pa.array(range(len(values)), pa.int32()), "value": values})
    pq.write_table(table, Path(os.environ["D4C_OUT"]) / "rows.parquet")


write([datetime.datetime.fromtimestamp(1_600_000_000).isoformat()])
