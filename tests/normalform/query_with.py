"""Ask a GeoParquet file for the points in some boxes; run by the Python of the asked library.

``python query_with.py LIBRARY FILE XMIN,YMIN,XMAX,YMAX …`` prints, as JSON and for each box, how
many rows were found, the sum of their ``id``, and how many bytes the process read for it, as the
kernel counts them.
"""

import json
import sys
from pathlib import Path
from typing import Any

Box = tuple[float, ...]


def with_pyarrow(path: str, box: Box) -> tuple[int, int]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    xmin, ymin, xmax, ymax = box
    x = (pc.field("bbox", "xmax") >= xmin) & (pc.field("bbox", "xmin") <= xmax)
    y = (pc.field("bbox", "ymax") >= ymin) & (pc.field("bbox", "ymin") <= ymax)
    table = ds.dataset(path).to_table(filter=x & y)
    return table.num_rows, pc.sum(table["id"]).as_py()


def with_duckdb(path: str, box: Box) -> tuple[int, int]:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set enable_external_file_cache = false")
    xmin, ymin, xmax, ymax = box
    # count(shape) makes it read the shapes, too.
    found = connection.execute(
        f"select count(shape), sum(id) from '{path}'"
        f" where bbox.xmax >= {xmin} and bbox.xmin <= {xmax}"
        f" and bbox.ymax >= {ymin} and bbox.ymin <= {ymax}"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])


def with_gdal(path: str, box: Box) -> tuple[int, int]:
    from osgeo import gdal

    gdal.UseExceptions()
    dataset = gdal.OpenEx(path, gdal.OF_VECTOR, allowed_drivers=["Parquet"])
    layer = dataset.GetLayer(0)
    layer.SetSpatialFilterRect(*box)
    found = [feature["id"] for feature in layer]
    return len(found), sum(found)


READERS: dict[str, Any] = {
    name.removeprefix("with_"): value
    for name, value in dict(globals()).items()
    if name.startswith("with_")
}


def bytes_read() -> int:
    """How many bytes this process has read until now, from wherever."""
    first = Path("/proc/self/io").read_text("ascii").splitlines()[0]
    return int(first.removeprefix("rchar:"))


if __name__ == "__main__":
    library, path, *texts = sys.argv[1:]
    boxes = [tuple(float(edge) for edge in text.split(",")) for text in texts]
    READERS[library](path, boxes[0])  # so that no module is read between two counts
    answers = []
    for box in boxes:
        before = bytes_read()
        rows, ids = READERS[library](path, box)
        answers.append([rows, ids, bytes_read() - before])
    print(json.dumps(answers))
