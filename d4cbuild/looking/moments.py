"""Dates and times in text, and how they are written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from d4cbuild.looking.notes import Note, few

DATE_NAME = re.compile(r"date|jour|(^|_)day|modified|created|issued|_on$|_dt$")
"""What the name of a column of dates has in it."""

# What ISO 8601 allows, as the steps read it without being told.
_ISO = (
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("timestamp", re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{3}(\d{3})?)?)?")),
    (
        "timestamp_utc",
        re.compile(
            r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{3}(\d{3})?)?)?(Z|[+-]\d{2}:\d{2})"
        ),
    ),
    ("time", re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")),
)
_MIDNIGHT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]00:00(:00(\.0+)?)?")
_DAY_OR_MONTH_FIRST = tuple(f"%{a}{sign}%{b}{sign}%Y" for sign in "/-." for a, b in ("dm", "md"))
_DIGITS = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
_PATTERNS = (
    *("%Y/%m/%d", *_DIGITS, *_DAY_OR_MONTH_FIRST),
    *("%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y"),
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_SHAPE = re.compile(r"[\dA-Za-z ,./:-]{6,30}")
_YEARS = range(1600, 2200)


@dataclass(frozen=True)
class Moments:
    """How dates or times are read.

    Attributes:
        kind: The declared type.
        via: The type given before, where a pattern is needed.
        pattern: As in ``strptime``.
        notes: What could be otherwise.
    """

    kind: str
    via: str = ""
    pattern: str = ""
    notes: tuple[Note, ...] = ()


def moments_of(texts: Sequence[str], name: str) -> Moments | None:
    """Find out how texts are dates or times; ``None`` if they are not all such.

    Args:
        texts: Different texts.
        name: What the column is to be called.
    """
    if not any(character.isdigit() for character in texts[0]):
        return None
    for kind, pattern in _ISO:
        if all(pattern.fullmatch(text) for text in texts):
            return _iso(texts, kind, name)
    if not all(_SHAPE.fullmatch(text) for text in texts):
        return None
    fitting = [
        (pattern, clock)
        for pattern in _PATTERNS
        for clock in (_CLOCKS if pattern not in _DIGITS else ("",))
        if all(_reads(text, pattern + clock) for text in texts)
    ]
    if not fitting or (fitting[0][0] in _DIGITS and not DATE_NAME.search(name)):
        return None
    return _chosen(fitting, texts, name)


def _iso(texts: Sequence[str], kind: str, name: str) -> Moments | None:
    reader = datetime.time if kind == "time" else datetime.datetime
    try:
        for text in texts:
            reader.fromisoformat(text)
    except ValueError:
        return None
    if kind == "timestamp" and all(_MIDNIGHT.fullmatch(text) for text in texts):
        return Moments("date", notes=(Note(name, "all at midnight: taken as date", 85),))
    return Moments(kind)


def _chosen(fitting: list[tuple[str, str]], texts: Sequence[str], name: str) -> Moments:
    pattern, clock = fitting[0]
    kind = "timestamp" if clock or "%H" in pattern else "date"
    ways = {found for found, _ in fitting}
    write = f'a columns step: types = {{ {name} = "{kind}" }}, formats = {{ {name} = "%s" }}'
    if len(ways) > 1 and ways <= set(_DAY_OR_MONTH_FIRST):
        first, second = (found + clock for found in sorted(ways))
        text = f"dates such as {few(texts[:2])}: the day or the month first? Kept as text"
        return Moments("string", notes=(Note(name, text, None, f"{write % first}, or {second}"),))
    confidence = 90 if pattern in _DAY_OR_MONTH_FIRST else 95
    note = Note(name, f"dates such as {texts[0]!r}, read as {pattern + clock}", confidence)
    return Moments(kind, via=kind, pattern=pattern + clock, notes=(note,))


def _reads(text: str, pattern: str) -> bool:
    try:
        moment = datetime.datetime.strptime(text, pattern)
    except ValueError:
        return False
    # strptime takes one digit for two, so that 20181 would be a date.
    if len(text) != _DIGITS.get(pattern, len(text)):
        return False
    return moment.year in _YEARS
