"""Read a Parquet file as the users of another library would; run by that library's Python.

``python read_with.py LIBRARY IN.parquet OUT.arrow …`` writes Arrow files of the columns that the
library finds, with shapes as WKB.
"""

import sys
from typing import Any

import pyarrow as pa


def with_pyarrow(path: str) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(path)


def with_duckdb(path: str) -> pa.Table:
    import duckdb

    return duckdb.connect().sql(f"from '{path}'").to_arrow_table()


def with_duckdb_spatial(path: str) -> pa.Table:
    """With the extension, a column of shapes is a GEOMETRY, and no longer bytes."""
    import duckdb
    import duckdb_extension_spatial as spatial

    connection = duckdb.connect()
    (extension,) = spatial.__path__
    version = f"v{duckdb.__version__}"
    connection.load_extension(f"{extension}/extensions/{version}/spatial.duckdb_extension")
    table = connection.sql(f"from '{path}'")
    shapes = [
        name
        for name, kind in zip(table.columns, table.types, strict=True)
        if str(kind).startswith("GEOMETRY")
    ]
    changed = ", ".join(f'st_aswkb("{name}")::blob as "{name}"' for name in shapes)
    chosen = f"* replace ({changed})" if shapes else "*"
    return connection.sql(f"select {chosen} from '{path}'").to_arrow_table()


def with_polars(path: str) -> pa.Table:
    import polars

    return polars.read_parquet(path).to_arrow()


def with_geopandas(path: str) -> pa.Table:
    import geopandas
    import pandas

    options = {"types_mapper": pandas.ArrowDtype}
    try:
        frame = geopandas.read_parquet(path, to_pandas_kwargs=options)
    except ValueError as error:
        if "Missing geo metadata" not in str(error):
            raise
        return pa.Table.from_pandas(pandas.read_parquet(path, dtype_backend="pyarrow"))
    return pa.table(frame.to_arrow(index=False, geometry_encoding="WKB"))


def with_gdal(path: str) -> pa.Table:
    from osgeo import gdal

    gdal.UseExceptions()
    dataset = gdal.OpenEx(path, gdal.OF_VECTOR, allowed_drivers=["Parquet"])
    stream = dataset.GetLayer(0).GetArrowStreamAsPyArrow()
    fields = [stream.schema.field(i) for i in range(stream.schema.num_fields)]
    batches = [pa.RecordBatch.from_struct_array(batch) for batch in stream]
    return pa.Table.from_batches(batches, schema=pa.schema(fields))


READERS: dict[str, Any] = {
    name.removeprefix("with_"): value
    for name, value in dict(globals()).items()
    if name.startswith("with_")
}


if __name__ == "__main__":
    library, *paths = sys.argv[1:]
    for source, target in zip(paths[::2], paths[1::2], strict=True):
        found = READERS[library](source)
        with pa.OSFile(target, "wb") as sink, pa.ipc.new_file(sink, found.schema) as writer:
            writer.write_table(found)
