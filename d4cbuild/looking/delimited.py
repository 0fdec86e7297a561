"""Text with delimiters: where the table in it begins and ends, and how its fields are parted."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from d4cbuild.looking.encodings import Encoding, encoding_of
from d4cbuild.looking.notes import Note, NotReadable, few, plain

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARACTERS = 1 << 18
_SAMPLE_ROWS = 400
_PREAMBLE = 60
_FOOTER = 40
_NUMERIC = re.compile(r"-?[\d .,]*\d")
_YEAR = re.compile(r"(1[6-9]|20|21)\d\d")
_FIELD_CHARACTERS = 64 << 20
_FITTING = 0.6

Row = tuple[int, int, list[str]]
"""A row: its line, the line before it began, and its fields."""


@dataclass(frozen=True)
class Delimited:
    """How a file with delimiters is read.

    Attributes:
        options: Those of the read step.
        columns: Names of the columns, as the file has them.
        encoding: The encoding.
        notes: What could be otherwise.
    """

    options: dict[str, Any]
    columns: tuple[str, ...]
    encoding: Encoding
    notes: tuple[Note, ...]


def look_at_delimited(data: bytes, name: str) -> Delimited:
    """Find out how to read a file.

    Args:
        data: The file.
        name: What to call it.

    Raises:
        NotReadable: if it is no text, or there is no table in it.
    """
    csv.field_size_limit(_FIELD_CHARACTERS)
    encoding = encoding_of(data)
    text = data.decode("utf-8-sig" if encoding.name == "utf-8" else encoding.name)
    if not text.strip():
        raise NotReadable(f"{name} is empty")
    delimiter = _delimiter(text)
    quote, rows = _rows(text, delimiter, name)
    layout = _Layout.of(rows, name)
    options: dict[str, Any] = {"encoding": encoding.name, "delimiter": delimiter}
    defaults = {"encoding": "utf-8", "delimiter": "\t" if name.lower().endswith(".tsv") else ","}
    options = {key: value for key, value in options.items() if value != defaults[key]}
    if not quote:
        options["quote"] = ""
    notes = [] if encoding.confidence >= 99 else [_encoding_note(encoding)]
    return Delimited(options | layout.options, layout.columns, encoding, (*notes, *layout.notes))


def _encoding_note(encoding: Encoding) -> Note:
    others = 'encoding = "cp1252", "cp850" or "mac_roman" in the read step'
    return Note("encoding", f"{encoding.name}: {encoding.evidence}", encoding.confidence, others)


def _delimiter(text: str) -> str:
    """The sign that parts the most rows into the same number of fields."""
    sample = text[:_SAMPLE_CHARACTERS]
    best, merit = ",", (0.0, 0)
    for sign in _DELIMITERS:
        try:
            reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sign)
            widths = [len(row) for row, _ in zip(reader, range(_SAMPLE_ROWS), strict=False) if row]
        except csv.Error:
            continue
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        share = count / max(1, len(widths))
        if width > 1 and (share * min(width, 4), width) > merit:
            best, merit = sign, (share * min(width, 4), width)
    return best


def _rows(text: str, delimiter: str, name: str) -> tuple[str, list[Row]]:
    """All rows with something in them; whether quotes mean anything is tried."""
    trouble = ""
    for quote in ('"', ""):
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            strict=True,
        )
        found: list[Row] = []
        before = 0
        try:
            for fields in reader:
                if fields:
                    found.append((reader.line_num, before, fields))
                before = reader.line_num
            return quote, found
        except csv.Error as error:
            trouble = trouble or f"{name}, line {reader.line_num}: {error}"
    raise NotReadable(trouble)


@dataclass(frozen=True)
class _Layout:
    """Where the table is, as options of the read step."""

    options: dict[str, Any]
    columns: tuple[str, ...]
    notes: tuple[Note, ...]

    @classmethod
    def of(cls, rows: Sequence[Row], name: str) -> _Layout:
        if not rows:
            raise NotReadable(f"{name} is empty")
        first = _first(rows)
        header = [field.strip() for field in rows[first][2]]
        data = rows[first + 1 :]
        options: dict[str, Any] = {}
        notes: list[Note] = []
        if first:
            options["skip_lines"] = rows[first][1]
            said = few(plain(" ".join(row[2]), 60) for row in rows[:first])
            notes.append(Note("skip_lines", f"lines before the names of the columns: {said}", 90))
        last = _footer(data, len(header))
        if last:
            options["skip_last"] = last
            said = few(plain(" ".join(row[2]), 60) for row in data[-last:])
            notes.append(Note("skip_last", f"rows at the end that are no data: {said}", 85))
            data = data[:-last]
        columns, more, said_more = _widths(data, header, name)
        options |= more
        notes += said_more
        if len(columns) > len(header):
            options |= {"header": False, "names": columns, "skip_lines": rows[first][0]}
        elif _is_data(header, data):
            columns = [f"column_{number}" for number in range(1, len(header) + 1)]
            options["header"] = False
            write = "header = true in the read step"
            notes.append(Note("header", "the first line looks like data: no names", 60, write))
        elif "" in columns or len(set(columns)) < len(columns):
            columns = _told_apart(columns)
            options["names"] = columns
            notes.append(Note("names", "columns without a name of their own were given one", 90))
        return cls(options, tuple(columns), tuple(notes))


def _first(rows: Sequence[Row]) -> int:
    """Where the names of the columns are: the first row that is as wide as the table."""
    widths = Counter(len(fields) for _, _, fields in rows[_PREAMBLE // 2 :] or rows)
    # By the fields they hold, or a few rows of a small table are fewer than the lines around it.
    width = max(widths, key=lambda fields: fields * widths[fields])
    for place, (_, _, fields) in enumerate(rows[:_PREAMBLE]):
        filled = sum(bool(field.strip()) for field in fields)
        if len(fields) >= width and filled >= 0.5 * len(fields):
            # Names with nothing below them, after other lines, are none.
            return place if place + 1 < len(rows) else 0
    return 0


def _footer(data: Sequence[Row], width: int) -> int:
    """How many rows at the end are not as wide as all that are before them."""
    count = 0
    while count < min(_FOOTER, len(data)) and len(data[-1 - count][2]) != width:
        count += 1
    rest = data[: len(data) - count]
    odd = sum(len(fields) != width for _, _, fields in rest)
    return count if rest and odd == 0 and count <= len(rest) else 0


def _widths(
    data: Sequence[Row], header: list[str], name: str
) -> tuple[list[str], dict[str, Any], list[Note]]:
    """Names, options and notes for rows that are shorter or longer than the header."""
    odd = [row for row in data if len(row[2]) != len(header)]
    if not odd:
        return header, {}, []
    widths = Counter(len(fields) for _, _, fields in data)
    count = widths.most_common(1)[0][1]
    if count < _FITTING * len(data):
        raise NotReadable(
            f"{name} is no single table: its rows have {few(sorted(widths))} fields,"
            f" its first line {len(header)}"
        )
    text = f"{len(odd)} of {len(data)} rows have another number of fields than {len(header)}"
    text += f", such as line {odd[0][0]}"
    longest = max(widths)
    if longest <= len(header):
        return header, {"ragged": "pad"}, [Note("ragged", f"{text}: what lacks is null", 80)]
    columns = [*header, *(f"extra_{n}" for n in range(1, longest - len(header) + 1))]
    note = Note("names", f"{text}: what is too much is in columns of its own", 40,
                "mend the rows, or skip_lines and skip_last")  # fmt: skip
    ragged = {} if min(widths) == longest else {"ragged": "pad"}
    return _told_apart(columns), ragged, [note]


def _is_data(header: list[str], data: Sequence[Row]) -> bool:
    """Whether what stands first are values: numbers above numbers, and no years."""
    below = [row[2] for row in data[:50]]
    if not below:
        return False
    numeric = [
        place
        for place in range(len(header))
        if all(_is_number(row[place]) for row in below if place < len(row) and row[place].strip())
        and any(place < len(row) and row[place].strip() for row in below)
    ]
    if not numeric:
        return False
    heads = [header[place] for place in numeric]
    return all(_is_number(head) for head in heads) and not all(map(_YEAR.fullmatch, heads))


def _is_number(text: str) -> bool:
    return _NUMERIC.fullmatch(text.strip()) is not None


def _told_apart(columns: Sequence[str]) -> list[str]:
    made: list[str] = []
    for number, column in enumerate(columns, start=1):
        base = column or f"column_{number}"
        name, count = base, 1
        while name in made:
            count += 1
            name = f"{base}_{count}"
        made.append(name)
    return made
