"""A table of addresses, and one of polygons: always the same rows, as many as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

SEED = 20_240_229
PIECE = 250_000
STEP = 7_919_191
"""A prime: ``i * STEP % rows`` goes through all rows in no order."""

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("civic_number", pa.string()),
        ("street_name", pa.string()),
        ("street_type", pa.string()),
        ("city", pa.string()),
        ("province", pa.string()),
        ("postal_code", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("geometry", pa.binary()),
        ("created", pa.timestamp("us", tz="UTC")),
        ("updated", pa.timestamp("us", tz="UTC")),
    ]
)


def write_addresses(path: Path, rows: int, shuffled: bool) -> None:
    """Write the address table.

    Args:
        path: A new Parquet file.
        rows: How many rows.
        shuffled: Whether ids come in no order, rather than ascending.
    """
    with pq.ParquetWriter(path, SCHEMA, compression="snappy") as writer:
        for start in range(0, rows, PIECE):
            place = np.arange(start, min(start + PIECE, rows), dtype=np.int64)
            ids = place * STEP % rows if shuffled else place
            writer.write_table(_addresses(ids, rows))


def _addresses(ids: np.ndarray, rows: int) -> pa.Table:  # type: ignore[type-arg]
    chance = np.random.default_rng(SEED + int(ids[0]))
    count = len(ids)
    words = [f"{first}{last}" for first in FIRST for last in LAST]
    streets = pa.array([f"{a} {b}" for a in words for b in ("", "Nord", "East", "du Lac")])
    cities = pa.array([f"{word}{end}" for word in words for end in ("", " Bay", "-sur-Mer", "ton")])
    x = np.round(chance.uniform(-141, -52, count), 6)
    y = np.round(chance.uniform(42, 70, count), 6)
    created = chance.integers(1_262_304_000, 1_704_067_200, count) * 1_000_000
    updated = created + chance.integers(0, 10**14, count)
    return pa.table(
        [
            pa.array(ids),
            pa.array(chance.integers(1, 20_000, count)).cast(pa.string()),
            streets.take(pa.array(chance.integers(0, len(streets), count))),
            pa.array(TYPES).take(pa.array(chance.integers(0, len(TYPES), count))),
            cities.take(pa.array(chance.integers(0, len(cities), count))),
            pa.array(PROVINCES).take(pa.array(chance.integers(0, len(PROVINCES), count))),
            _postal_codes(chance.integers(0, 850_000, count)),
            pa.array(x),
            pa.array(y),
            pa.array(shapely.to_wkb(shapely.points(x, y)), pa.binary()),
            pa.array(created, pa.timestamp("us", "UTC")),
            pa.array(updated, pa.timestamp("us", "UTC"), mask=ids % 3 == 0),
        ],
        schema=SCHEMA,
    )


def _postal_codes(numbers: np.ndarray) -> pa.Array:  # type: ignore[type-arg]
    letters, digits = np.frombuffer(LETTERS, np.uint8), np.frombuffer(b"0123456789", np.uint8)
    signs = np.empty((len(numbers), 6), np.uint8)
    for place in range(6):
        kinds = letters if place % 2 == 0 else digits
        signs[:, place] = kinds[numbers % len(kinds)]
        numbers = numbers // len(kinds)
    offsets = pa.py_buffer(np.arange(len(signs) + 1, dtype=np.int32) * 6)
    return pa.Array.from_buffers(pa.string(), len(signs), [None, offsets, pa.py_buffer(signs)])


def write_polygons(path: Path, rows: int) -> None:
    """Write polygons of 4 to 16 corners, in no order, with the metadata of GeoParquet."""
    schema = pa.schema([("id", pa.int64()), ("geometry", pa.binary())])
    geo = (
        '{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":'
        '{"encoding":"WKB","geometry_types":["Polygon"]}}}'
    )
    schema = schema.with_metadata({"geo": geo})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, PIECE):
            ids = np.arange(start, min(start + PIECE, rows))
            shapes = np.concatenate(list(_polygons(len(ids), start)))
            writer.write_table(pa.table([ids, shapely.to_wkb(shapes)], schema=schema))


def _polygons(count: int, seed: int) -> Iterator[np.ndarray]:  # type: ignore[type-arg]
    chance = np.random.default_rng(SEED + seed)
    for corners in range(4, 17):
        some = len(range(corners - 4, count, 13))
        steps = np.arange(corners) + chance.uniform(0, 0.8, (some, corners))
        turn = steps * (2 * np.pi / corners)
        reach = chance.uniform(0.001, 0.002, (some, corners))
        x = chance.uniform(-141, -52, (some, 1)) + reach * np.cos(turn)
        y = chance.uniform(42, 70, (some, 1)) + reach * np.sin(turn)
        yield shapely.polygons(np.stack([x, y], axis=2))


FIRST = ("Maple", "Cedar", "Birch", "Pine", "Elm", "Spruce", "Willow", "Aspen", "Lark", "Heron",
         "Beaver", "Otter", "Caribou", "Moose", "Raven", "Loon", "Trout", "Salmon", "Granite",
         "Érable", "Chêne", "Saint-Jean", "Sainte-Anne", "Victoria", "Albert")  # fmt: skip
LAST = (
    "wood",
    "ridge",
    "view",
    "field",
    "brook",
    "dale",
    "crest",
    "gate",
    "stone",
    "haven",
    "mont",
    "vallée",
    "side",
    "hill",
    "shore",
    "port",
    "ville",
    "bridge",
    "cross",
    "land",
)
TYPES = ("Street", "Avenue", "Road", "Crescent", "Drive", "Court", "Lane", "Place", "Way", "Trail",
         "Boulevard", "Circle", "Close", "Gate", "Rue", "Chemin", "Rang", "Allée", "Montée",
         "Impasse")  # fmt: skip
PROVINCES = ("AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT")
LETTERS = b"ABCEGHJKLMNPRSTVXY"
