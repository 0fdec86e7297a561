"""From any table to its normal form: the steps, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from d4cbuild.normalform.content import ContentDigest
from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.findings import DeclarationBroken, Findings, Violation, shown
from d4cbuild.normalform.geoparquet import canonical_json
from d4cbuild.normalform.normaliser import Normaliser
from d4cbuild.normalform.order import repeated_keys, row_order
from d4cbuild.normalform.write import ROW_GROUP_ROWS, write_row_groups


@dataclass
class NormalTable:
    """A table in normal form, or the list of what stands in its way.

    Attributes:
        declaration: What it was declared to be.
        table: The rows, in order; empty where there are violations.
        violations: Every broken promise.
        geometry: The GeoParquet record, where there is a geometry.
        repaired: How many invalid shapes were repaired; none without geometry.
        content: The content digest, in hex; empty where there are violations.
    """

    declaration: Declaration
    table: pa.Table
    violations: list[Violation] = field(default_factory=list)
    geometry: dict[str, Any] | None = None
    repaired: int | None = None
    content: str = ""


def normalise(table: pa.Table, declaration: Declaration) -> NormalTable:
    """Bring a table to the normal form of its declaration, in memory.

    Args:
        table: Columns in any order, rows in any order, values in any storage variant.
        declaration: What it should be.
    """
    findings = Findings(declaration.name, declaration.column_names)
    normaliser = Normaliser(declaration, table.schema, findings)
    pieces = [normaliser.add(piece) for piece in slices(table)]
    normaliser.finish()
    result = NormalTable(declaration, normaliser.file_schema.empty_table())
    whole = [piece for piece in pieces if piece is not None]
    if whole and len(whole) == len(pieces):
        keys = pa.concat_tables([piece.keys for piece in whole])
        order = row_order(keys)
        check_order(keys.take(order), declaration, findings)
        result.table = pa.concat_tables([piece.rows for piece in whole]).take(order)
    result.violations = findings.violations()
    if findings:
        result.table = normaliser.file_schema.empty_table()
        return result
    result.geometry, result.repaired = normaliser.geo, normaliser.repaired
    digest = ContentDigest(declaration.content_schema, declaration.kinds)
    digest.update(result.table.select(declaration.column_names))
    result.content = digest.hexdigest()
    return result


def slices(table: pa.Table) -> Iterator[pa.Table]:
    """Cut a table into pieces of a row group's size; a table without rows is one piece."""
    for start in range(0, max(table.num_rows, 1), ROW_GROUP_ROWS):
        yield table.slice(start, ROW_GROUP_ROWS)


def check_order(keys: pa.Table, declaration: Declaration, findings: Findings) -> None:
    """Is the order of rows total? The keys come in order."""
    count, examples = repeated_keys(keys)
    if count:
        names = ", ".join(key.text for key in declaration.keys)
        message = f"the key ({names}) is not a total order: rows share it with the row before"
        shown_keys = [", ".join(shown(value) for value in key) for key in examples]
        findings.add("", "sort_by", message, count, shown_keys)


def write_table(
    table: pa.Table, where: Path | BinaryIO, declaration: Declaration, workers: int = 1
) -> NormalTable:
    """Normalise a table and write it.

    Args:
        table: The rows.
        where: A path, which holds nothing or the whole file at any moment; or a binary stream.
        declaration: What it should be.
        workers: Row groups encoded at once; it does not change the bytes.

    Raises:
        DeclarationBroken: if the table does not keep its declaration; nothing is written then.
    """
    normal = normalise(table, declaration)
    if normal.violations:
        raise DeclarationBroken(normal.violations)
    if not isinstance(where, Path):
        _write(normal, where, workers)
        return normal
    unfinished = where.with_name(f".{where.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            _write(normal, stream, workers)
        unfinished.replace(where)
    finally:
        unfinished.unlink(missing_ok=True)
    return normal


def _write(normal: NormalTable, stream: BinaryIO, workers: int) -> None:
    key_values: dict[str, bytes] = {}
    if normal.geometry is not None:
        key_values["geo"] = canonical_json(normal.geometry)
    write_row_groups(
        stream,
        [normal.table],
        normal.table.schema,
        sort_columns=recorded_order(normal.declaration),
        key_values=key_values,
        shapes=frozenset(c.name for c in normal.declaration.columns if c.is_geometry),
        workers=workers,
    )


def recorded_order(declaration: Declaration) -> list[str]:
    """The leading keys that are columns of the file, as ``sorting_columns`` states them."""
    leading = []
    for key in declaration.keys:
        if key.hilbert:
            break
        leading.append(key.column)
    return leading


def null_counts(table: pa.Table) -> dict[str, int]:
    """How many values of each column are missing."""
    return {
        name: column.null_count
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
