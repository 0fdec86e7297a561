"""The tables of a build, by name: what each step reads and leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .columns import change_columns
from .combining import join, union
from .declared import as_declared
from .geometry import change_geometry
from .raster import write_raster
from .reading import read_source
from .refusal import SHOWN, refuse, some
from .sql import run_sql


class Tables:
    """Tables by name. Each method is a step of ``recipe.toml``, with the same options."""

    def __init__(self) -> None:
        self._tables: dict[str, pa.Table] = {}
        self._sources = Path(os.environ["D4C_SOURCES"])
        self._out = Path(os.environ["D4C_OUT"])

    def read(self, source: str, *, into: str, **options: Any) -> None:
        """Read a raw file.

        Args:
            source: The source's name.
            into: What to call the table.
            options: As on the step's page.
        """
        self._keep(into, read_source(self._sources / source, **options))

    def columns(self, table: str, *, into: str, **options: Any) -> None:
        """Choose, rename and clean columns, and give them types."""
        self._keep(into, change_columns(self[table], **options))

    def geometry(self, table: str, *, into: str, **options: Any) -> None:
        """Make shapes, or change them."""
        self._keep(into, change_geometry(self[table], **options))

    def sql(self, query: str, *, into: str) -> None:
        """Ask the tables a question, in the SQL of DuckDB; parameters are known as ``$name``."""
        self._keep(into, self._answer(query))

    def check(self, query: str, *, wrong: str) -> None:
        """Stop the build if a query finds rows.

        Args:
            query: As in a sql step; its rows are what is wrong.
            wrong: What is wrong with them.
        """
        found = self._answer(query)
        if found.num_rows:
            rows = [tuple(row.values()) for row in found.slice(0, SHOWN + 1).to_pylist()]
            refuse(
                wrong,
                expected="no rows",
                found=f"{found.num_rows}, with {', '.join(found.column_names)}: {some(rows)}",
                hint="look at the source: it has changed, or is not as the recipe says",
            )
        print(f"checked: no rows where {wrong}")

    def union(self, tables: Sequence[str], *, into: str, **options: Any) -> None:
        """Put tables below each other."""
        self._keep(into, union({name: self[name] for name in tables}, **options))

    def join(self, table: str, other: str, *, into: str, **options: Any) -> None:
        """Put the columns of another table beside those of a table."""
        self._keep(into, join(self[table], self[other], **options))

    def raster(self, source: str, *, file: str, **options: Any) -> None:
        """Write a raster as Cloud-Optimised GeoTIFF."""
        write_raster(self._sources / source, self._out / file, **options)

    def write(
        self,
        output: str,
        *,
        table: str,
        types: Mapping[str, str],
        nullable: Sequence[str],
        crs: Mapping[str, str],
    ) -> None:
        """Write an output with its declared columns.

        Args:
            output: The output's name.
            table: The table it is made of.
            types: Declared types by column.
            nullable: Columns that may be null.
            crs: The declared CRS of each column of shapes.
        """
        written = as_declared(self[table], types, nullable, crs)
        pq.write_table(written, self._out / f"{output}.parquet")
        print(f"{output}: {written.num_rows} rows")

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._tables:
            refuse(f"there is no table {name!r}", expected=some(self._tables))
        return self._tables[name]

    def _answer(self, query: str) -> pa.Table:
        parameters = json.loads(Path(os.environ["D4C_PARAMETERS"]).read_text(encoding="utf-8"))
        return run_sql(self._tables, query, parameters)

    def _keep(self, name: str, table: pa.Table) -> None:
        print(f"{name}: {table.num_rows} rows, {table.num_columns} columns")
        self._tables[name] = table
