"""Workbooks: a range of a sheet, every cell as text."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pyarrow as pa

from .refusal import refuse, some


def read_workbook(
    data: bytes, name: str, *, sheet: str | None = None, range: str | None = None
) -> pa.Table:
    """Read a sheet whose first row has the names of the columns. Empty rows are left out.

    Numbers are the shortest text that means them, dates and times ISO 8601.

    Args:
        data: The file.
        name: What to call it in messages.
        sheet: Which sheet; needed where there are several.
        range: Which cells, such as ``A6:P11007``; the whole sheet unless given.
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
        refuse(f"{name} has no cells there", expected="a row with the names of the columns")
    columns = [str(value).strip() if value is not None else "" for value in rows[0]]
    if "" in columns or len(set(columns)) < len(columns):
        refuse(
            f"columns of {name} have no name of their own",
            found=some(columns),
            hint='range = "A6:P11007", from the row with the names on',
        )
    arrays = [
        pa.array([_text(row[place]) for row in rows[1:]], pa.string())
        for place, _ in enumerate(columns)
    ]
    return pa.table(arrays, names=columns)


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
