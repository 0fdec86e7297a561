"""From any table to its normal form: the steps, in order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from d4cbuild.normalform import geometry as geo
from d4cbuild.normalform.checks import Violation, check_columns, check_rows, check_values
from d4cbuild.normalform.content import ContentDigest
from d4cbuild.normalform.declaration import ColumnDeclaration, Declaration
from d4cbuild.normalform.order import repeated_keys, sorted_rows
from d4cbuild.normalform.values import InexactCast, conform
from d4cbuild.normalform.write import write_row_groups

_HILBERT = "__hilbert__"
SLICE_ROWS = 122_880


@dataclass
class NormalTable:
    """A table in normal form, or the list of what stands in its way.

    Attributes:
        declaration: What it was declared to be.
        table: The rows, in order; empty where there are violations.
        violations: Every broken promise.
        geometry: The GeoParquet record, where there is a geometry.
        repaired: How many invalid shapes were repaired.
    """

    declaration: Declaration
    table: pa.Table
    violations: list[Violation] = field(default_factory=list)
    geometry: dict[str, Any] | None = None
    repaired: int | None = None
    content: str = ""


class DeclarationBroken(ValueError):
    """A table does not keep its declaration.

    Attributes:
        violations: Every broken promise.
    """

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("; ".join(f"{v.column or v.output}: {v.message}" for v in violations))
        self.violations = violations


def normalise(table: pa.Table, declaration: Declaration) -> NormalTable:
    """Bring a table to the normal form of its declaration.

    Args:
        table: Columns in any order, rows in any order, values in any storage variant.
        declaration: What it should be.
    """
    violations = check_columns(table, declaration) + check_rows(table.num_rows, declaration)
    result = NormalTable(declaration, table.slice(0, 0), violations)
    if any(violation.rule == "columns" for violation in violations):
        return result
    columns = _conforming(table, declaration, violations)
    if violations and len(columns) < len(declaration.columns):
        return result
    ordered = pa.table(columns)
    index: pa.Array | None = None
    if declaration.geometry is not None:
        ordered, index = _with_geometry(ordered, table, declaration, result)
        if ordered is None:
            return result
    ordered = _in_order(ordered, index, declaration, violations)
    if not violations:
        result.content = _content(ordered, declaration)
        result.table = ordered.cast(_schema(declaration))
    return result


def write_table(
    table: pa.Table, where: Path | BinaryIO, declaration: Declaration, workers: int = 1
) -> NormalTable:
    """Normalise a table and write it.

    Args:
        table: The rows.
        where: A path, or a binary stream.
        declaration: What it should be.
        workers: Row groups encoded at once; it does not change the bytes.

    Raises:
        DeclarationBroken: if the table does not keep its declaration; nothing is written then.
    """
    normal = normalise(table, declaration)
    if normal.violations:
        raise DeclarationBroken(normal.violations)
    if isinstance(where, Path):
        with where.open("wb") as stream:
            _write(normal, stream, workers)
    else:
        _write(normal, where, workers)
    return normal


def _write(normal: NormalTable, stream: BinaryIO, workers: int) -> None:
    key_values: dict[str, bytes] = {}
    if normal.geometry is not None:
        key_values["geo"] = geo.canonical_json(normal.geometry)
    write_row_groups(
        stream,
        [normal.table],
        normal.table.schema,
        sort_columns=_recorded_order(normal.declaration),
        key_values=key_values,
        workers=workers,
    )


def _conforming(
    table: pa.Table, declaration: Declaration, violations: list[Violation]
) -> dict[str, pa.ChunkedArray]:
    columns: dict[str, pa.ChunkedArray] = {}
    for wanted in declaration.columns:
        try:
            column = conform(table.column(wanted.name), wanted.arrow)
        except InexactCast as error:
            message = (
                f"declared {wanted.type_name}, written as {table.schema.field(wanted.name).type}"
            )
            violations.append(
                Violation(
                    declaration.name, wanted.name, "type", f"{message}: {error}", table.num_rows
                )
            )
            continue
        violations += check_values(declaration.name, column, wanted)
        columns[wanted.name] = column
    return columns


def _with_geometry(
    ordered: pa.Table, written: pa.Table, declaration: Declaration, result: NormalTable
) -> tuple[pa.Table | None, pa.Array | None]:
    primary = declaration.geometry
    assert primary is not None  # the caller looked
    index: pa.Array | None = None
    for wanted in (column for column in declaration.columns if column.is_geometry):
        shapes = _shapes(ordered.column(wanted.name), wanted, declaration.name, result)
        if shapes is None:
            return None, None
        result.violations += _check_crs(written, wanted, declaration.name)
        at = ordered.schema.get_field_index(wanted.name)
        ordered = ordered.set_column(at, wanted.name, pa.chunked_array([shapes.wkb]))
        if wanted is primary:
            result.geometry = geo.geo_metadata(wanted.name, wanted.crs, shapes.types, shapes.bounds)
            ordered = ordered.append_column(geo.COVERING_NAME, geo.covering(shapes.bounds))
            index = geo.hilbert_index(shapes.bounds, wanted.crs)
    return ordered, index


def _shapes(
    column: pa.ChunkedArray, wanted: ColumnDeclaration, output: str, result: NormalTable
) -> geo.Shapes | None:
    try:
        shapes = geo.normal_shapes(_whole(column), wanted.valid)
    except ValueError as error:
        result.violations.append(
            Violation(output, wanted.name, "geometry", f"not readable as WKB: {error}", len(column))
        )
        return None
    if wanted.valid == "require" and shapes.invalid:
        examples = tuple(
            f"row {row}: {reason}"
            for row, reason in zip(shapes.invalid[:5], shapes.reasons, strict=True)
        )
        result.violations.append(
            Violation(
                output, wanted.name, "valid", "shapes are invalid", len(shapes.invalid), examples
            )
        )
    others = [name for name in shapes.types if name not in (wanted.geometry_types or shapes.types)]
    if others:
        message = f"found {', '.join(others)}, declared {', '.join(wanted.geometry_types or ())}"
        result.violations.append(Violation(output, wanted.name, "geometry_types", message))
    result.repaired = (result.repaired or 0) + shapes.repaired
    return shapes


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _check_crs(written: pa.Table, wanted: ColumnDeclaration, output: str) -> list[Violation]:
    stated = (written.schema.metadata or {}).get(b"geo")
    if stated is None:
        return []
    column = json.loads(stated).get("columns", {}).get(wanted.name, {})
    found = "OGC:CRS84"
    if "crs" in column:
        identity = (column["crs"] or {}).get("id", {})
        found = f"{identity.get('authority', 'unknown')}:{identity.get('code', 'unknown')}"
    # Axis order is always x, y in GeoParquet, so these two are one.
    same = {"OGC:CRS84": "EPSG:4326"}
    if same.get(found, found) == same.get(wanted.crs, wanted.crs):
        return []
    message = f"declared {wanted.crs}, written with {found}"
    return [Violation(output, wanted.name, "crs", message)]


def _in_order(
    table: pa.Table,
    index: pa.Array | None,
    declaration: Declaration,
    violations: list[Violation],
) -> pa.Table:
    keys = []
    for key in declaration.sort_by:
        if key.startswith("hilbert("):
            assert index is not None  # hilbert() names a geometry column, so there is one
            table = table.append_column(_HILBERT, index)
            keys.append(_HILBERT)
        else:
            keys.append(key)
    table = table.take(sorted_rows(table, keys))
    count, examples = repeated_keys(table, keys)
    if count:
        shown_keys = tuple(json.dumps(row, default=str, ensure_ascii=True) for row in examples)
        message = (
            f"the key ({', '.join(declaration.sort_by)}) is not a total order:"
            " rows share it with the row before"
        )
        violations.append(Violation(declaration.name, "", "sort_by", message, count, shown_keys))
    return table.drop_columns([_HILBERT]) if _HILBERT in keys else table


def _schema(declaration: Declaration) -> pa.Schema:
    fields = [pa.field(c.name, c.arrow, nullable=c.nullable) for c in declaration.columns]
    primary = declaration.geometry
    if primary is not None:
        fields.append(pa.field(geo.COVERING_NAME, geo.COVERING_TYPE, nullable=True))
    return pa.schema(fields)


def _content(table: pa.Table, declaration: Declaration) -> str:
    fields = [pa.field(c.name, c.arrow, nullable=c.nullable) for c in declaration.columns]
    kinds = {column.name: column.type_name for column in declaration.columns}
    digest = ContentDigest(pa.schema(fields), kinds)
    names = [column.name for column in declaration.columns]
    digest.update(table.select(names))
    return digest.hexdigest()


def _recorded_order(declaration: Declaration) -> list[str]:
    leading = []
    for key in declaration.sort_by:
        if key.startswith("hilbert("):
            break
        leading.append(key)
    return leading


def null_counts(table: pa.Table) -> dict[str, int]:
    """How many values of each column are missing."""
    return {
        name: int(pc.sum(column.is_null()).as_py() or 0)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
