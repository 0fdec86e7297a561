"""Text with delimiters: every column as text."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NoReturn

import pyarrow as pa

from .refusal import refuse, some

_BATCH = 50_000
_FIELD_CHARACTERS = 64 << 20


def read_delimited(
    data: bytes,
    name: str,
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    quote: str = '"',
    skip_lines: int = 0,
    skip_last: int = 0,
    header: bool = True,
    names: Sequence[str] = (),
    ragged: str = "refuse",
) -> pa.Table:
    """Read CSV and the like, without a byte order mark and lines with nothing in them.

    Args:
        data: The file.
        name: What to call it in messages.
        encoding: By the name Python has for it.
        delimiter: Between fields; one character.
        quote: Around fields; empty where quotes mean nothing.
        skip_lines: Lines before the names of the columns.
        skip_last: Rows at the end that are no data, such as totals.
        header: Whether the first line has the names of the columns.
        names: Names of the columns, instead of those in the file.
        ragged: What to do about rows of another length: ``refuse``; or ``pad``: what lacks at their
            end is null. Longer ones are refused all the same.
    """
    csv.field_size_limit(_FIELD_CHARACTERS)
    text = _decoded(data, name, encoding)
    lines = io.StringIO(text, newline="")
    for _ in range(skip_lines):
        lines.readline()
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        first = next((row for row in reader if row), None) if header or not names else None
        columns = _names(first, names, header, name)
        told = _with_lines(reader, skip_lines, None if header else first)
        rows = (
            _fitted(row, columns, ragged, name, line)
            for line, row in _without_last(told, skip_last, name)
        )
        return _table(rows, columns)
    except csv.Error as error:
        refuse(
            f"{name}, line {skip_lines + reader.line_num} cannot be read",
            found=str(error),
            hint='quote = "", if quotes mean nothing there',
        )


def _with_lines(
    reader: Iterator[list[str]], skipped: int, first: list[str] | None
) -> Iterator[tuple[int, list[str]]]:
    """Rows with something in them, each with its line."""
    if first is not None:
        yield skipped + 1, first
    for row in reader:
        if row:
            yield skipped + reader.line_num, row  # type: ignore[attr-defined]


def _without_last(
    rows: Iterator[tuple[int, list[str]]], count: int, name: str
) -> Iterator[tuple[int, list[str]]]:
    """Rows but for the last few, which need not have as many fields."""
    held: deque[tuple[int, list[str]]] = deque()
    for row in rows:
        held.append(row)
        if len(held) > count:
            yield held.popleft()
    if len(held) < count:
        refuse(f"{name} has fewer rows than skip_last", found=str(len(held)))


def _decoded(data: bytes, name: str, encoding: str) -> str:
    try:
        return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        around = data[max(0, error.start - 20) : error.start + 20].decode("latin-1")
        refuse(
            f"{name}, line {line} is not {encoding}",
            found=f"the byte {data[error.start]:#04x} in {around!r}",
            hint='encoding = "cp1252", or whatever it is',
        )
    except LookupError:
        refuse(f"there is no encoding {encoding!r}", expected="such as utf-8, cp1252 or latin-1")


def _names(first: list[str] | None, names: Sequence[str], header: bool, name: str) -> list[str]:
    if first is None and not names:
        refuse(f"{name} is empty", expected="a line with the names of the columns")
    columns = list(names) or [
        field.strip() if header else f"column_{number}"
        for number, field in enumerate(first or (), start=1)
    ]
    if names and header and first is not None and len(first) != len(names):
        refuse(f"{name} has {len(first)} columns, and names are given for {len(names)}",
               found=some(first))  # fmt: skip
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        refuse(
            f"columns of {name} have no name of their own",
            found=some(twice),
            hint="skip_lines, if the names come later; or give names = […]",
        )
    return columns


def _fitted(
    row: list[str], columns: list[str], ragged: str, name: str, line: int
) -> list[str | None]:
    lacking = len(columns) - len(row)
    if lacking and not (lacking > 0 and ragged == "pad"):
        _refuse_row(row, len(columns), name, line)
    return [*row, *[None] * lacking]


def _refuse_row(row: list[str], columns: int, name: str, line: int) -> NoReturn:
    refuse(
        f"{name}, line {line} has another number of fields than there are columns",
        expected=str(columns),
        found=f"{len(row)}: {','.join(row)[:80]}",
        hint='ragged = "pad", if what lacks is null; another delimiter; or skip_lines'
        if len(row) < columns
        else "another delimiter or quote; or skip_lines, if the names come later",
    )


def _table(rows: Iterator[list[str | None]], columns: list[str]) -> pa.Table:
    schema = pa.schema([(column, pa.string()) for column in columns])
    batches = []
    batch: list[list[str | None]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            batches.append(_batch(batch, schema))
            batch = []
    if batch:
        batches.append(_batch(batch, schema))
    return pa.Table.from_batches(batches, schema)


def _batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
    return pa.record_batch(arrays, schema=schema)
