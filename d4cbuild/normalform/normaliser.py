"""Rows of any make go in, piece by piece; checked rows in normal form come out, not yet ordered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from d4cbuild.normalform.checks import (
    check_columns,
    check_declaration,
    check_rows,
    check_values,
)
from d4cbuild.normalform.declaration import ColumnDeclaration, Declaration
from d4cbuild.normalform.findings import EXAMPLES, Findings, shown
from d4cbuild.normalform.geometry import Shapes, Trouble, normal_shapes_at_once
from d4cbuild.normalform.geoparquet import (
    epsg_code,
    geo_column,
    geo_record,
    known_crs,
    same_crs,
    stated_crs,
)
from d4cbuild.normalform.order import KeySorter
from d4cbuild.normalform.place import COVERING_NAME, COVERING_TYPE, Boxes, covering, hilbert_index
from d4cbuild.normalform.unique import UniqueCheck
from d4cbuild.normalform.values import InexactCast, conform


@dataclass(frozen=True)
class Piece:
    """Some rows in normal form.

    Attributes:
        rows: Columns as the file has them; none if these rows or earlier ones cannot be brought to
            their declared types.
        keys: A column per key of the row order; none if there is trouble with the keys.
    """

    rows: pa.Table | None
    keys: pa.Table | None


@dataclass
class _GeometrySummary:
    types: set[str] = field(default_factory=set)
    box: list[float] | None = None
    invalid: int = 0
    repaired: int = 0

    def add(self, shapes: Shapes) -> None:
        self.types |= shapes.types
        self.invalid += shapes.invalid
        self.repaired += shapes.repaired
        placed = shapes.bounds[~np.isnan(shapes.bounds).any(axis=1)]
        if not len(placed):
            return
        low, high = placed[:, :2].min(axis=0), placed[:, 2:].max(axis=0)
        if self.box is not None:
            low, high = np.minimum(low, self.box[:2]), np.maximum(high, self.box[2:])
        self.box = [float(edge) for edge in (*low, *high)]


class Normaliser:
    """Brings rows to the normal form of a declaration and checks them.

    Args:
        declaration: What the rows should be.
        schema: What they are; its metadata may name a CRS.
        findings: Where everything that is wrong goes.
        new_sorter: Makes what finds values that occur twice.
        workers: Threads that share the columns of a piece, and the shapes of a column.
    """

    def __init__(
        self,
        declaration: Declaration,
        schema: pa.Schema,
        findings: Findings,
        new_sorter: Callable[[], KeySorter],
        workers: int = 1,
    ) -> None:
        self._workers = workers
        self._wanted = declaration
        self._findings = findings
        self._rows = 0
        self._unique = {
            column.name: UniqueCheck(column.name, new_sorter())
            for column in declaration.columns
            # What is unique about the first key shows when rows are put into order.
            if column.unique and column.name != declaration.first_key
        }
        self._summaries = {c.name: _GeometrySummary() for c in self._geometries()}
        check_columns(schema, declaration, findings)
        check_declaration(declaration, findings)
        for column in self._geometries():
            self._check_crs(column, schema.metadata)
        self._whole = not findings
        self._sortable = not findings.has("sort_by") and all(
            schema.names.count(name) == 1 and not findings.has("crs", name)
            for name in self.key_columns
        )

    def _geometries(self) -> list[ColumnDeclaration]:
        return [column for column in self._wanted.columns if column.is_geometry]

    @property
    def sortable(self) -> bool:
        """Whether the keys can be made, as far as is known."""
        return self._sortable

    @property
    def key_columns(self) -> list[str]:
        """The columns that the keys are made of."""
        return list(dict.fromkeys(key.column for key in self._wanted.keys))

    def keys_of(self, table: pa.Table) -> pa.Table | None:
        """Make the keys of some rows, given the columns they are made of, and check nothing.

        Returns:
            A column per key; nothing if the rows cannot be brought to their declared types, which
            :meth:`add` then reports.
        """
        columns: dict[str, pa.ChunkedArray] = {}
        boxes: dict[str, Boxes] = {}
        if not self._sortable:
            return None
        for name in self.key_columns:
            wanted = self._wanted.column(name)
            assert wanted is not None  # check_declaration looked
            try:
                columns[name] = conform(table.column(name), wanted.arrow)
            except InexactCast:
                return None
            if wanted.is_geometry:
                shapes, _ = self._shapes(columns[name], wanted)
                if shapes is None:
                    return None
                columns[name] = pa.chunked_array([shapes.wkb])
                boxes[name] = shapes.bounds
        return self._keys(columns, boxes)

    @property
    def file_schema(self) -> pa.Schema:
        """The schema of the file: the declared columns and, with geometry, the covering boxes."""
        schema = self._wanted.content_schema
        if self._wanted.geometry is None:
            return schema
        return schema.append(pa.field(COVERING_NAME, COVERING_TYPE, nullable=True))

    def add(self, table: pa.Table) -> Piece:
        """Normalise and check the next rows."""
        columns: dict[str, pa.ChunkedArray] = {}
        boxes: dict[str, Boxes] = {}
        there = [c for c in self._wanted.columns if table.schema.names.count(c.name) == 1]
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            conformed = [pool.submit(conform, table.column(c.name), c.arrow) for c in there]
        # What is wrong is noted column by column, whichever thread was the first.
        for wanted, result in zip(there, conformed, strict=True):
            column = self._checked(result, table.column(wanted.name), wanted)
            if column is not None and wanted.is_geometry:
                column = self._shape(column, wanted, boxes)
            if column is not None:
                columns[wanted.name] = column
        self._rows += table.num_rows
        self._whole = self._whole and len(columns) == len(self._wanted.columns)
        self._sortable = self._sortable and all(name in columns for name in self.key_columns)
        return Piece(
            rows=self._file_rows(columns, boxes) if self._whole else None,
            keys=self._keys(columns, boxes) if self._sortable else None,
        )

    def finish(self) -> None:
        """Check what only the whole table shows. Call once, after the last rows."""
        check_rows(self._rows, self._wanted, self._findings)
        for check in self._unique.values():
            check.finish(self._findings)

    @property
    def geo(self) -> dict[str, Any] | None:
        """The GeoParquet record of all rows so far; none without geometry."""
        primary = self._wanted.geometry
        if primary is None:
            return None
        columns = {}
        for column in self._geometries():
            summary = self._summaries[column.name]
            columns[column.name] = geo_column(
                column.crs,
                sorted(summary.types),
                summary.box,
                oriented=not summary.invalid,
                covered=column is primary,
            )
        return geo_record(primary.name, columns)

    @property
    def repaired(self) -> int | None:
        """How many shapes were repaired; none without geometry."""
        if not self._summaries:
            return None
        return sum(summary.repaired for summary in self._summaries.values())

    def _checked(
        self,
        conformed: Future[pa.ChunkedArray],
        column: pa.ChunkedArray,
        wanted: ColumnDeclaration,
    ) -> pa.ChunkedArray | None:
        try:
            result = conformed.result()
        except InexactCast as error:
            message = f"declared {wanted.type_name}, written as {column.type}: {error}"
            rows = error.rows[:EXAMPLES]
            values = column.take(pa.array(rows, pa.int64())).to_pylist() if rows else []
            examples = [
                f"row {self._rows + row}: {shown(value)}"
                for row, value in zip(rows, values, strict=True)
            ]
            count = len(error.rows) or len(column)
            self._findings.add(wanted.name, "type", message, count, examples)
            return None
        check_values(result, wanted, self._rows, self._findings)
        if wanted.name in self._unique:
            self._unique[wanted.name].add(result)
        return result

    def _shape(
        self, column: pa.ChunkedArray, wanted: ColumnDeclaration, boxes: dict[str, Boxes]
    ) -> pa.ChunkedArray | None:
        shapes, troubles = self._shapes(column, wanted)
        for trouble in troubles:
            self._note(wanted.name, trouble)
        if shapes is None:
            return None
        self._check_kinds(wanted, shapes.types)
        self._summaries[wanted.name].add(shapes)
        boxes[wanted.name] = shapes.bounds
        return pa.chunked_array([shapes.wkb])

    def _shapes(
        self, column: pa.ChunkedArray, wanted: ColumnDeclaration
    ) -> tuple[Shapes | None, list[Trouble]]:
        whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.binary())
        return normal_shapes_at_once(whole, wanted.valid, epsg_code(wanted.crs), self._workers)

    def _note(self, column: str, trouble: Trouble) -> None:
        reasons = trouble.reasons or ("",) * EXAMPLES
        examples = [
            f"row {self._rows + row}" + (f": {reason}" if reason else "")
            for row, reason in zip(trouble.rows, reasons, strict=False)
        ]
        self._findings.add(column, trouble.rule, trouble.message, len(trouble.rows), examples)

    def _check_kinds(self, wanted: ColumnDeclaration, types: frozenset[str]) -> None:
        if wanted.geometry_types is None:
            return
        allowed = wanted.geometry_types
        others = sorted(
            t for t in types if t not in allowed and t.removesuffix(" Z") not in allowed
        )
        if others:
            message = f"found {', '.join(others)}, declared {', '.join(allowed)}"
            self._findings.add(wanted.name, "geometry_types", message)

    def _check_crs(self, wanted: ColumnDeclaration, metadata: dict[bytes, bytes] | None) -> None:
        if not known_crs(wanted.crs):
            self._findings.add(wanted.name, "crs", f"{wanted.crs} is not in the fixed table")
            return
        try:
            found = stated_crs(metadata, wanted.name)
        except ValueError as error:
            self._findings.add(wanted.name, "crs", str(error))
            return
        if found is not None and not same_crs(found, wanted.crs):
            message = f"declared {wanted.crs}, written with {found}"
            self._findings.add(wanted.name, "crs", message)

    def _file_rows(self, columns: dict[str, pa.ChunkedArray], boxes: dict[str, Boxes]) -> pa.Table:
        arrays = list(columns.values())
        if self._wanted.geometry is not None:
            arrays.append(pa.chunked_array([covering(boxes[self._wanted.geometry.name])]))
        return pa.Table.from_arrays(arrays, schema=self.file_schema)

    def _keys(self, columns: dict[str, pa.ChunkedArray], boxes: dict[str, Boxes]) -> pa.Table:
        keys = []
        for key in self._wanted.keys:
            if key.hilbert:
                crs = next(c.crs for c in self._geometries() if c.name == key.column)
                keys.append(pa.chunked_array([hilbert_index(boxes[key.column], crs)]))
            else:
                keys.append(columns[key.column])
        return pa.Table.from_arrays(keys, names=[str(i) for i in range(len(keys))])
