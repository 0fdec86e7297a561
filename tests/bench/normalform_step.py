"""One thing to measure, in a process of its own.

Prints the largest resident size it reached, in bytes, and before that how long it took, in
seconds, where it is not the whole process that is timed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

MEMORY = 1_000_000_000
POINT_KEYS = ("hilbert(geometry)", "id")


def ours(given: str, made: str, workers: str, *keys: str) -> None:
    """Sort and write in normal form."""
    from d4cbuild.normalform import Declaration, write_table

    pa.set_cpu_count(int(workers))
    declaration = Declaration.of_schema(_schema(given), keys)
    write_table(Path(given), Path(made), declaration, int(workers), memory=MEMORY)


def ours_points(given: str, made: str, workers: str) -> None:
    """Write addresses as points along the Hilbert curve."""
    from d4cbuild.normalform import Declaration, write_table

    declaration = Declaration.of_schema(_with_shapes(pq.read_schema(given)), POINT_KEYS)
    write_table(Path(given), Path(made), declaration, int(workers), memory=MEMORY)


def ours_held(given: str, made: str, workers: str) -> None:
    """Write a table in memory, already in order, in normal form."""
    from d4cbuild.normalform import Declaration, write_table

    table = pq.read_table(given)
    Path(made).unlink(missing_ok=True)  # to replace what a run before wrote would be timed too
    with timed():
        declaration = Declaration.of_schema(_schema(given), ("id",))
        write_table(table, Path(made), declaration, int(workers), memory=1 << 40)


def arrow_held(given: str, made: str, workers: str) -> None:
    """Write the same table with pyarrow."""
    table = pq.read_table(given)
    Path(made).unlink(missing_ok=True)
    with timed():
        pq.write_table(table, made, compression="zstd", compression_level=3)


def duckdb_sort(given: str, made: str, workers: str, key: str) -> None:
    """Sort and write with DuckDB."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "1GB", "threads": int(workers)})
    connection.execute(f"set temp_directory = '{made}.tmp'")
    rows = f"(select * from read_parquet('{given}') order by {key})"
    connection.execute(f"copy {rows} to '{made}' (format parquet, compression zstd)")


def gpio_sort(given: str, made: str, level: str) -> None:
    """Sort along the Hilbert curve with geoparquet-io, 15 being the level it takes by itself."""
    from tests.normalform.readers import run_in_environment

    options = ("--add-bbox", "--overwrite", "--any-extension", "--compression-level", level)
    with timed():
        ran = run_in_environment("gpio", "sort", "hilbert", *options, given, made)
    if ran.returncode:
        sys.exit(ran.stderr)


def digest(given: str) -> None:
    """Digest the content of a file."""
    from d4cbuild.normalform import digest_file

    with timed():
        digest_file(Path(given), workers=2)


def arrow_read(given: str) -> None:
    """Read a whole file with pyarrow."""
    with timed():
        pq.read_table(given)


def duckdb_read(given: str) -> None:
    """Read a whole file with DuckDB."""
    import duckdb

    with timed():
        duckdb.read_parquet(given).to_arrow_table()


class timed:  # noqa: N801
    """Prints how long something took."""

    def __enter__(self) -> None:
        import time

        self.began = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        import time

        print(time.perf_counter() - self.began)


def _schema(path: str) -> pa.Schema:
    """The file's schema; its column ``geometry`` holds shapes in the polygons' file only."""
    schema = pq.read_schema(path)
    if b"geo" not in (schema.metadata or {}):
        return pa.schema([pa.field(f.name, f.type, f.nullable) for f in schema])
    return _with_shapes(schema)


def _with_shapes(schema: pa.Schema) -> pa.Schema:
    at = schema.get_field_index("geometry")
    field = schema.field(at).with_metadata({"ARROW:extension:name": "geoarrow.wkb"})
    return schema.set(at, field)


def _peak() -> int:
    # What the system tells a parent counts the memory of the parent too: it was the child's
    # before the child became another program.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print(_peak())
