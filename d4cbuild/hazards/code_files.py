"""Hazards in one file of a recipe's code, whatever language it is in."""

from __future__ import annotations

import warnings
from pathlib import PurePosixPath
from typing import Final

from d4cbuild.hazards.allow import Comment, allowances, silenced
from d4cbuild.hazards.embedded import Embedded, embedded_in
from d4cbuild.hazards.finding import Finding, Spot, findings_of
from d4cbuild.hazards.placed import PlacedText
from d4cbuild.hazards.python_calls import call_spots
from d4cbuild.hazards.python_chance import chance_spots
from d4cbuild.hazards.python_module import PythonModule, comments_of, statement_spans
from d4cbuild.hazards.python_order import order_spots
from d4cbuild.hazards.python_shell import shell_spots
from d4cbuild.hazards.python_sql import sql_in
from d4cbuild.hazards.python_threads import thread_spots
from d4cbuild.hazards.python_time import time_spots
from d4cbuild.hazards.shell import read_shell
from d4cbuild.hazards.sql import read_sql

LANGUAGES: Final = {
    ".py": "python",
    ".sql": "sql",
    ".sh": "shell",
    ".bash": "shell",
    ".dash": "shell",
}


def language_of(name: str, data: bytes) -> str | None:
    """The language of a file by its name or first line; ``None`` if it is not one of ours."""
    known = LANGUAGES.get(PurePosixPath(name).suffix.lower())
    first = data[:100].split(b"\n", 1)[0]
    if known is None and first.startswith(b"#!"):
        known = "python" if b"python" in first else "shell" if b"sh" in first else None
    return known


def file_findings(name: str, data: bytes, shown: str) -> list[Finding]:
    """Everything found in a file of code.

    Args:
        name: Its name, which tells the language.
        data: Its bytes.
        shown: How to name it in findings.
    """
    language = language_of(name, data)
    if language is None:
        return []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        message = f"byte {data[error.start]:#04x} is not UTF-8"
        return [_fault(shown, line, column, "encoding", message, "save the file as UTF-8")]
    if language == "python":
        return python_findings(text, shown)
    return sql_findings(text, shown) if language == "sql" else shell_findings(text, shown)


def python_findings(text: str, shown: str) -> list[Finding]:
    """Everything found in a Python file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that mean nothing
            module = PythonModule.parsed(text)
            found = _python_spots(module)
    except SyntaxError as error:
        message = f"not readable as Python: {error.msg}"
        place = max(error.lineno or 1, 1), max(error.offset or 1, 1)
        return [_fault(shown, *place, "python-syntax", message, "mend the line and check again")]
    except (ValueError, RecursionError, MemoryError) as error:
        message = f"not readable as Python: {error or 'nested too deeply'}"
        return [_fault(shown, 1, 1, "python-syntax", message, "write it more simply")]
    spots, comments, unread = found
    allowed, faults = allowances(comments, statement_spans(module), shown)
    findings = silenced(findings_of(spots, shown), allowed, shown)
    return sorted([*findings, *faults, *(unread_sql(shown, *each) for each in unread)])


def _python_spots(
    module: PythonModule,
) -> tuple[list[Spot], list[Comment], tuple[tuple[int, int, str], ...]]:
    sql = sql_in(module)
    spots = [
        *call_spots(module),
        *time_spots(module),
        *chance_spots(module),
        *thread_spots(module),
        *order_spots(module),
        *shell_spots(module),
        *sql.spots,
    ]
    comments = sorted({*comments_of(module.text), *sql.comments}, key=lambda c: (c.line, c.column))
    return spots, comments, sql.unread


def sql_findings(text: str, shown: str) -> list[Finding]:
    """Everything found in a file of SQL."""
    source = PlacedText.of_file(text)
    reading = read_sql(source)
    allowed, faults = allowances(reading.comments, _sql_spans(text), shown)
    findings = silenced(findings_of(reading.spots, shown), allowed, shown)
    unread = [] if reading.unread is None else [unread_sql(shown, *reading.unread)]
    return sorted([*findings, *faults, *unread])


def _sql_spans(text: str) -> dict[int, tuple[int, int]]:
    """A comment above a statement speaks of all its lines, up to the semicolon."""
    spans = {}
    first = 1
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        code = line.partition("--")[0].rstrip()
        if not code and first == number:
            first = number + 1
        elif code.endswith(";") or number == len(lines):
            spans.update(dict.fromkeys(range(first, number + 1), (first, number)))
            first = number + 1
    return spans


def shell_findings(text: str, shown: str) -> list[Finding]:
    """Everything found in a shell script."""
    spots, comments = shell_spots_in(text)
    allowed, faults = allowances(comments, {}, shown)
    return sorted([*silenced(findings_of(spots, shown), allowed, shown), *faults])


def shell_spots_in(text: str) -> tuple[list[Spot], list[Comment]]:
    """Hazards and comments of a shell script, with those of other languages within it."""
    script, pieces = embedded_in(text)
    reading = read_shell(PlacedText.of_file(script))
    spots, comments = list(reading.spots), list(reading.comments)
    for piece in pieces:
        more, others = _embedded_spots(piece)
        spots += more
        comments += others
    return spots, comments


def _embedded_spots(piece: Embedded) -> tuple[list[Spot], list[Comment]]:
    if piece.language == "shell":
        return shell_spots_in(piece.text)
    if piece.language == "sql":
        found = read_sql(PlacedText.of_file(piece.text))
        return list(found.spots), list(found.comments)
    return python_spots_in(piece.text)


def python_spots_in(text: str) -> tuple[list[Spot], list[Comment]]:
    """Hazards and comments of Python within something else; none where it cannot be read.

    What the shell fills in before Python sees it need not be Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spots, comments, _ = _python_spots(PythonModule.parsed(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [], []
    return spots, comments


def _fault(file: str, line: int, column: int, name: str, message: str, remedy: str) -> Finding:
    return Finding(file, line, column, name, message, remedy, "error")


def unread_sql(file: str, line: int, column: int, why: str) -> Finding:
    """SQL that nobody looked at."""
    message = f"this SQL could not be read, so it was not looked at: {why}"
    remedy = "if DuckDB does accept it, order every result in it by hand"
    return Finding(file, line, column, "sql-syntax", message, remedy)
