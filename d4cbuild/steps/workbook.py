"""Workbooks: a range of a sheet, every cell as text."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from .refusal import refuse, some


def read_workbook(
    data: bytes,
    name: str,
    *,
    sheet: str | None = None,
    range: str | None = None,
    header: bool = True,
    names: Sequence[str] = (),
) -> pa.Table:
    """Read a sheet. Empty rows are left out.

    Numbers are the shortest text that means them, dates and times ISO 8601.

    Args:
        data: The file.
        name: What to call it in messages.
        sheet: Which sheet; needed where there are several.
        range: Which cells, such as ``A6:P11007``; the whole sheet unless given.
        header: Whether the first row has the names of the columns.
        names: Names of the columns, instead of those in the file.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever its parsers raise
        refuse(f"{name} cannot be read as a workbook", found=f"{type(error).__name__}: {error}")
    if sheet is None and len(book.sheetnames) > 1:
        refuse(f"{name} has several sheets", expected='sheet = "…"', found=some(book.sheetnames))
    if sheet is not None and sheet not in book.sheetnames:
        refuse(f"{name} has no sheet {sheet!r}", expected=f"one of {some(book.sheetnames)}")
    cells = book[sheet or book.sheetnames[0]]
    rows = [list(row) for row in cells.iter_rows(values_only=True, **_bounds(range))]
    rows = [row for row in rows if any(value is not None for value in row)]
    if not rows:
        refuse(f"{name} has no cells there", expected="rows with something in them")
    columns = _names(rows, header, names, name)
    rows = rows[1:] if header else rows
    arrays = [
        pa.array([_text(row[place]) for row in rows], pa.string())
        for place, _ in enumerate(columns)
    ]
    return pa.table(arrays, names=columns)


def _names(rows: list[list[Any]], header: bool, names: Sequence[str], name: str) -> list[str]:
    found = rows[0] if header else [f"column_{place}" for place, _ in enumerate(rows[0], start=1)]
    if names and len(names) != len(found):
        refuse(f"{name} has {len(found)} columns there, and names are given for {len(names)}",
               found=some(found))  # fmt: skip
    columns = [str(value).strip() if value is not None else "" for value in names or found]
    if "" in columns or len(set(columns)) < len(columns):
        refuse(
            f"columns of {name} have no name of their own",
            found=some(columns),
            hint='range = "A6:P11007", from the row with the names on; or names = […]',
        )
    return columns


def _bounds(range: str | None) -> dict[str, int | None]:
    from openpyxl.utils import range_boundaries

    if range is None:
        return {}
    try:
        left, top, right, bottom = range_boundaries(range)
    except (ValueError, TypeError) as error:
        refuse(f"{range!r} is no range of cells", expected="such as A6:P11007", found=str(error))
    return {"min_col": left, "min_row": top, "max_col": right, "max_row": bottom}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
