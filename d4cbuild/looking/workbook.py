"""Workbooks: which range of which sheet is a table."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from d4cbuild.looking.notes import Note, NotReadable, few

_HEAD = 60
_LETTERS = 26


@dataclass(frozen=True)
class SheetTable:
    """A table in a workbook.

    Attributes:
        sheet: The sheet's name.
        options: Those of the read step.
        notes: What could be otherwise.
    """

    sheet: str
    options: dict[str, Any]
    notes: tuple[Note, ...]


def look_at_workbook(data: bytes, name: str) -> tuple[list[SheetTable], list[Note]]:
    """Find the tables of a workbook, and say what is left out.

    Raises:
        NotReadable: if it is no workbook, or no sheet has a table.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [(s.title, [list(r) for r in s.iter_rows(values_only=True)]) for s in
                  book.worksheets]  # fmt: skip
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise NotReadable(f"{name} is no workbook: {type(error).__name__}: {error}") from error
    found: list[SheetTable] = []
    notes: list[Note] = []
    for sheet, rows in sheets:
        try:
            found.append(_table(sheet, rows, alone=len(sheets) == 1))
        except NotReadable as error:
            notes.append(Note("sheet", f"{sheet} is left out: {error}", 80))
    if not found:
        raise NotReadable("; ".join(note.text for note in notes))
    return found, notes


def _table(sheet: str, rows: Sequence[list[Any]], *, alone: bool) -> SheetTable:
    top = _header(rows)
    left, right = _span(rows[top])
    bottom = _bottom(rows, top, left, right)
    names = [str(value).strip() for value in rows[top][left : right + 1] if value is not None]
    if len(names) <= right - left:
        raise NotReadable(f"in row {top + 1} some columns have no name")
    if len(set(names)) < len(names):
        raise NotReadable(f"names of columns in row {top + 1} are there twice")
    if bottom == top:
        raise NotReadable("there are names of columns, and nothing below them")
    notes = []
    above, below = list(_filled(rows[:top])), list(_filled(rows[bottom + 1 :]))
    if above:
        notes.append(Note("range", f"rows above the names of the columns: {few(above)}", 90))
    if below:
        notes.append(Note("range", f"rows below the table are left out: {few(below)}", 85))
    wide = max(len(row) for row in rows)
    options: dict[str, Any] = {} if alone else {"sheet": sheet}
    if above or below or (left, right + 1) != (0, wide):
        options["range"] = f"{_letters(left)}{top + 1}:{_letters(right)}{bottom + 1}"
    return SheetTable(sheet, options, tuple(notes))


def _filled(rows: Sequence[list[Any]]) -> Iterator[str]:
    for row in rows:
        words = [str(value).strip() for value in row if value is not None]
        if words:
            yield " ".join(words)


def _count(row: Sequence[Any]) -> int:
    return sum(value is not None for value in row)


def _header(rows: Sequence[list[Any]]) -> int:
    """The first row of names that is about as full as the rows of the table are."""
    counts = [_count(row) for row in rows]
    full = max(counts, default=0)
    if full == 0:
        raise NotReadable("it is empty")
    filled = sorted(count for count in counts if count)
    usual = filled[len(filled) // 2]
    for place, row in enumerate(rows[:_HEAD]):
        named = all(isinstance(value, str) for value in row if value is not None)
        if named and counts[place] >= max(1, 0.7 * max(usual, 0.6 * full)):
            return place
    raise NotReadable("no row has names for all columns")


def _span(row: Sequence[Any]) -> tuple[int, int]:
    places = [place for place, value in enumerate(row) if value is not None]
    return places[0], places[-1]


def _bottom(rows: Sequence[list[Any]], top: int, left: int, right: int) -> int:
    """The last row of the table: what comes after an empty row, and is thinner, is none of it."""
    last, gap = top, False
    total = filled = 0
    for place in range(top + 1, len(rows)):
        count = _count(rows[place][left : right + 1])
        if count == 0:
            gap = True
            continue
        if gap and (filled == 0 or count < 0.75 * total / filled):
            break
        last, gap = place, False
        total, filled = total + count, filled + 1
    return last


def _letters(place: int) -> str:
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, _LETTERS)
        text = chr(ord("A") + rest) + text
    return text
