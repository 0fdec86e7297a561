"""A few small tables whose files must never change, of every type and shape."""

import hashlib
import io
import json
import math
import struct
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa

from d4cbuild.normalform import Declaration, write_table
from d4cbuild.normalform.write import ROW_GROUP_ROWS

WKB = pa.field("shape", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})


def point(x: float, y: float) -> bytes:
    return struct.pack("<BIdd", 1, 1, x, y)


def square(x: float, y: float, clockwise: bool) -> bytes:
    corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1), (x, y)]
    ring = [number for corner in (corners[::-1] if clockwise else corners) for number in corner]
    return struct.pack(f"<BIII{len(ring)}d", 1, 3, 1, 5, *ring)


def every_type() -> pa.Table:
    rows = 300
    numbers = list(range(rows))
    some = [None if i % 5 == 2 else i for i in numbers]
    columns = {
        "id": pa.array(numbers, pa.int32()),
        **{
            str(arrow): pa.array([n if n is None else n % 100 for n in some], arrow)
            for arrow in (pa.int8(), pa.int16(), pa.int64(), pa.uint8(), pa.uint16(),
                          pa.uint32(), pa.uint64())
        },
        "float": pa.array([None if n is None else n / 7 for n in some], pa.float32()),
        "double": pa.array([None if n is None else math.sqrt(n) for n in some]),
        "boolean": pa.array([None if n is None else n % 3 == 0 for n in some]),
        "string": pa.array([None if n is None else f"é{n * 7919 % 1000}" for n in some]),
        "few": pa.array([f"group {n % 4}" for n in numbers]),
        "binary": pa.array([None if n is None else bytes([n % 256, 0]) for n in some]),
        "date": pa.array(some, pa.date32()),
        "time": pa.array(some, pa.time64("us")),
        "timestamp": pa.array([None if n is None else n << 40 for n in some], pa.timestamp("us")),
        "instant": pa.array(some, pa.timestamp("us", "UTC")),
        "decimal": pa.array([None if n is None else Decimal(n).scaleb(-2) for n in some],
                            pa.decimal128(20, 2)),
        "list": pa.array([None if n is None else list(range(n % 4)) for n in some]),
        "map": pa.array([None if n is None else [(str(n), n % 2 == 0)] for n in some],
                        pa.map_(pa.string(), pa.bool_())),
        "struct": pa.array([None if n is None else {"a": n, "b": [{"c": f"{n % 3}"}]}
                            for n in some]),
    }  # fmt: skip
    return pa.table(columns)


def cases() -> dict[str, tuple[pa.Table, tuple[str, ...]]]:
    """The tables by name, with the keys of their row order."""
    types = every_type()
    return {
        "types": (types, ("id",)),
        "reversed": (types.select(["id", "string"]), ("string", "id")),
        "empty": (types.slice(0, 0), ("id",)),
        "nan": (pa.table({"id": [1, 2], "c": [math.nan, -0.0]}), ("id",)),
        "long texts": (
            pa.table({"id": [1, 2, 3], "c": ["é" * 2048, "é" * 2048 + "z", ""]}),
            ("id",),
        ),
        "points": (points(500), ("hilbert(shape)", "id")),
        "polygons": (polygons(), ("id",)),
        "no shapes": (points(0), ("id",)),
        "two row groups": (two_row_groups(), ("id",)),
    }


def points(rows: int) -> pa.Table:
    shapes = [point(-60.0 - i * 0.37 % 80, 45.0 + i * 0.11 % 30) for i in range(rows)]
    arrays = [pa.array(range(rows), pa.int16()), pa.array(shapes, pa.binary())]
    return pa.Table.from_arrays(arrays, schema=pa.schema([("id", pa.int16()), WKB]))


def polygons() -> pa.Table:
    shapes = [square(i % 9, i % 5, i % 2 == 0) for i in range(20)]
    arrays = [pa.array(range(21)), pa.array([*shapes, None])]
    return pa.Table.from_arrays(arrays, schema=pa.schema([("id", pa.int64()), WKB]))


def two_row_groups() -> pa.Table:
    """Texts, lists short and long that cross pages, and NaN in one row group only."""
    rows = ROW_GROUP_ROWS + 1000
    ids = np.arange(rows)
    lengths = np.where(ids == 20_000, 50_000, ids % 4)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    values = pa.array(np.arange(lengths.sum()) * 0.25)
    lists = pa.ListArray.from_arrays(offsets, values, mask=pa.array(lengths == 3))
    return pa.table(
        {
            "id": ids[::-1].copy(),
            "text": [f"{i % 1000}" for i in range(rows)],
            "lists": lists,
            "inner": pa.StructArray.from_arrays([lists, pa.array(ids % 7 == 0)], ["a", "b"]),
            "degrees": np.round(np.sin(ids) * 90, 6),
            "bytes": pa.array([b"%d" % (i * 7919 % 100_003) for i in range(rows)]),
            "nan": np.where(ids == 5, math.nan, ids * 0.5),
        }
    )


def digests(workers: int = 1) -> dict[str, dict[str, str]]:
    """SHA-256 of each case's file, and its content digest."""
    result = {}
    for name, (table, keys) in cases().items():
        out = io.BytesIO()
        written = write_table(table, out, Declaration.of_schema(table.schema, keys), workers)
        sha256 = hashlib.sha256(out.getvalue()).hexdigest()
        result[name] = {"sha256": sha256, "content": written.content}
    return result


if __name__ == "__main__":
    print(json.dumps({"pyarrow": pa.__version__, "digests": digests(int(sys.argv[1]))}))
