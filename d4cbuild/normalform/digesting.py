"""The content digest of any Parquet file, whoever wrote it."""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from d4cbuild.normalform.content import RUN_ROWS, ContentDigest, run_digests
from d4cbuild.normalform.reading import ParquetSource, in_equal_pieces
from d4cbuild.normalform.values import plain


@dataclass(frozen=True)
class FileContent:
    """What is in a file.

    Attributes:
        digest: Its content digest, in hex.
        rows: How many rows.
        columns: Names, types by the recipe's grammar, and nullability.
    """

    digest: str
    rows: int
    columns: tuple[tuple[str, str, bool], ...]


def digest_file(path: Path, workers: int = 1) -> FileContent:
    """Digest the content of a Parquet file, its rows in the order they have there.

    Columns that GeoParquet metadata calls geometry are ``geometry``; the boxes that it calls their
    covering are derived from them and no part of the content.

    Args:
        path: The file.
        workers: Runs of rows digested at once.

    Raises:
        Unreadable: if it is not readable as Parquet.
        ValueError: if a column or a value has no normal form.
    """
    source = ParquetSource(path)
    shapes, boxes = _geometry(source.schema.metadata)
    schema = pa.schema([field for field in source.schema if field.name not in boxes])
    digest = ContentDigest(schema, dict.fromkeys(shapes, "geometry"))
    waiting: deque[Future[tuple[int, list[bytes]]]] = deque()
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for run in in_equal_pieces(source.pieces(schema.names), RUN_ROWS):
            waiting.append(pool.submit(_digest_run, run.select(schema.names)))
            while len(waiting) > workers:
                digest.add_run(*waiting.popleft().result())
        for future in waiting:
            digest.add_run(*future.result())
    return FileContent(digest.hexdigest(), source.rows, digest.columns)


def _digest_run(run: pa.Table) -> tuple[int, list[bytes]]:
    return run.num_rows, run_digests([plain(column) for column in run.columns])


def _geometry(metadata: dict[bytes, bytes] | None) -> tuple[set[str], set[str]]:
    """Names of the geometry columns, and of their covering columns, by the ``geo`` record."""
    try:
        columns: dict[str, Any] = json.loads((metadata or {})[b"geo"])["columns"]
        shapes = {name for name, column in columns.items() if column["encoding"] == "WKB"}
        coverings = [column.get("covering", {}) for column in columns.values()]
        boxes = {edge[0] for one in coverings for edge in one.get("bbox", {}).values()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set(), set()  # no record, or one that makes no sense: then they are plain bytes
    return shapes, boxes
