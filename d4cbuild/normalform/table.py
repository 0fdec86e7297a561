"""From any table to its normal form: the steps, in order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from d4cbuild.normalform.content import ContentDigest
from d4cbuild.normalform.declaration import Declaration
from d4cbuild.normalform.findings import DeclarationBroken, Findings, Violation
from d4cbuild.normalform.geoparquet import canonical_json
from d4cbuild.normalform.ordered import Settings, ordered_groups
from d4cbuild.normalform.reading import Source, as_source
from d4cbuild.normalform.scratch import Scratch
from d4cbuild.normalform.write import FileForm, GroupWriter

DEFAULT_MEMORY = 1 << 30


@dataclass(frozen=True)
class Written:
    """A file in normal form.

    Attributes:
        rows: How many rows it has.
        content: Its content digest, in hex.
        nulls: How many values of each declared column are missing.
        geometry: Its GeoParquet record, where there is a geometry.
        repaired: How many invalid shapes were repaired; none without geometry.
    """

    rows: int
    content: str
    nulls: dict[str, int]
    geometry: dict[str, Any] | None
    repaired: int | None


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
    source = as_source(table)
    findings = Findings(declaration.name, declaration.column_names)
    with Scratch() as scratch:
        settings = Settings(memory=1 << 62, workers=1, scratch=scratch)
        rows = ordered_groups(source, declaration, findings, settings)
        pieces = [group() for group in rows.groups]
    result = NormalTable(declaration, rows.schema.empty_table(), findings.violations())
    if findings:
        return result
    result.table = pa.concat_tables([result.table, *(p.cast(rows.schema) for p in pieces)])
    result.geometry, result.repaired = rows.geo(), rows.repaired()
    digest = ContentDigest(declaration.content_schema, declaration.kinds)
    digest.update(result.table.select(declaration.column_names))
    result.content = digest.hexdigest()
    return result


def write_table(
    rows: pa.Table | Path | Source,
    where: Path | BinaryIO,
    declaration: Declaration,
    workers: int = 1,
    *,
    memory: int = DEFAULT_MEMORY,
    scratch: Path | None = None,
) -> Written:
    """Normalise rows and write them.

    Args:
        rows: A table, or the path of a Parquet file.
        where: A path, which holds nothing or the whole file at any moment; or a binary stream.
        declaration: What the rows should be.
        workers: Row groups encoded at once; it does not change the bytes.
        memory: Bytes to work in, about; what does not fit goes to the temporary space. It does not
            change the bytes.
        scratch: A folder for temporary files; the system's unless given.

    Raises:
        DeclarationBroken: if the rows do not keep their declaration; nothing is written then.
        Unreadable: if the file is not readable as Parquet.
        ScratchTooSmall: if the temporary space is full.
    """
    source = as_source(rows)
    with Scratch(scratch) as space, _whole_or_nothing(where, space) as stream:
        settings = Settings(memory=memory, workers=workers, scratch=space)
        return _write(source, stream, declaration, settings)


def _write(
    source: Source, stream: BinaryIO, declaration: Declaration, settings: Settings
) -> Written:
    findings = Findings(declaration.name, declaration.column_names)
    rows = ordered_groups(source, declaration, findings, settings)
    digest = ContentDigest(declaration.content_schema, declaration.kinds)
    form = FileForm(
        schema=rows.schema,
        declared=declaration.column_names,
        sort_columns=declaration.recorded_order,
    )
    with GroupWriter(stream, form, digest, settings.workers) as writer:
        for group in rows.groups:
            writer.put(group)
        if findings:
            raise DeclarationBroken(findings.violations())
        geo = rows.geo()
        writer.finish({} if geo is None else {"geo": canonical_json(geo)})
    return Written(writer.rows, digest.hexdigest(), writer.nulls, geo, rows.repaired())


@contextmanager
def _whole_or_nothing(where: Path | BinaryIO, scratch: Scratch) -> Iterator[BinaryIO]:
    if not isinstance(where, Path):
        with tempfile.TemporaryFile(dir=scratch.parent) as unfinished:
            yield unfinished
            unfinished.seek(0)
            shutil.copyfileobj(unfinished, where, 1 << 20)
        return
    beside = where.with_name(f".{where.name}.unfinished")
    try:
        with beside.open("wb") as stream:
            yield stream
        beside.replace(where)
    finally:
        beside.unlink(missing_ok=True)
