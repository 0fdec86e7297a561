"""Text to values, strictly: what does not read as its type is refused, and shown."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .refusal import SHOWN, refuse

_SIMPLE = {
    "boolean": pa.bool_(),
    **{f"int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    "float32": pa.float32(),
    "float64": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "timestamp": pa.timestamp("us"),
    "timestamp_utc": pa.timestamp("us", "UTC"),
    "geometry": pa.binary(),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def cast(column: pa.ChunkedArray, name: str, kind: str) -> pa.ChunkedArray:
    """Bring a column to a declared type.

    Args:
        column: Text, or values that the type can hold without loss.
        name: The column's name.
        kind: The type, as ``recipe.toml`` writes it; lists, maps and structs stay as they are.
    """
    wanted = _arrow_type(kind)
    if wanted is None or column.type == wanted:
        return column
    if not pa.types.is_string(column.type):
        return _cast_values(column, name, kind, wanted)
    if kind in _TEXTS:
        return _each(column, name, kind, wanted, _TEXTS[kind])
    try:
        return column.cast(wanted)
    except pa.ArrowInvalid:
        # Find those that are to blame, one by one.
        return _each(column, name, kind, wanted, lambda text: pa.scalar(text).cast(wanted).as_py())


def cast_moments(
    column: pa.ChunkedArray, name: str, kind: str, pattern: str | None, zone: str | None
) -> pa.ChunkedArray:
    """Read dates and times that are not as ISO 8601 writes them, or are of a time zone.

    Args:
        column: Text.
        name: The column's name.
        kind: ``date``, ``time``, ``timestamp`` or ``timestamp_utc``.
        pattern: As in Python's ``strptime``, such as ``%d/%m/%Y``; ISO 8601 unless given.
        zone: For ``timestamp_utc``: where the clock stood, as ``America/Halifax`` or ``-06:00``.
    """
    place = None if zone is None else _zone(zone)

    def read(text: str) -> Any:
        moment = (
            datetime.datetime.fromisoformat(text)
            if pattern is None
            else datetime.datetime.strptime(text, pattern)
        )
        if kind == "date":
            return moment.date()
        if kind == "time":
            return moment.time()
        return moment if place is None else _at(moment, place)

    return _each(column, name, f"{kind} like {pattern or 'ISO 8601'}", _SIMPLE[kind], read)


def _arrow_type(kind: str) -> pa.DataType | None:
    found = _DECIMAL.fullmatch(kind)
    return pa.decimal128(int(found[1]), int(found[2])) if found else _SIMPLE.get(kind)


def _cast_values(
    column: pa.ChunkedArray, name: str, kind: str, wanted: pa.DataType
) -> pa.ChunkedArray:
    try:
        return column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        refuse(
            f"column {name!r} is {column.type}, and cannot be {kind} without loss",
            found=str(error).splitlines()[0],
            hint="declare another type, or change the values in a sql step",
        )


def _each(
    column: pa.ChunkedArray,
    name: str,
    kind: str,
    wanted: pa.DataType,
    read: Callable[[str], Any],
) -> pa.ChunkedArray:
    # Most columns hold few different texts.
    known: dict[str, Any] = {}
    wrong: dict[str, None] = {}
    for text in pc.unique(column).to_pylist():
        try:
            known[text] = None if text is None else read(text)
        except (ValueError, KeyError, pa.ArrowException):
            wrong[text] = None
    if wrong:
        texts = column.to_pylist()
        rows = [row for row, text in enumerate(texts, start=1) if text in wrong]
        shown = "\n".join(f"row {row}: {texts[row - 1]!r}" for row in rows[:SHOWN])
        refuse(
            f"column {name!r} is declared as {kind}, but not all of its texts read so",
            found=f"{len(rows)} others:\n{shown}",
            hint="declare another type, or a columns step before: trim, null, replace, formats, …",
        )
    return pa.chunked_array([pa.array([known[t] for t in column.to_pylist()], wanted)])


def _boolean(text: str) -> bool:
    return _TRUTH[text.lower()]


def _date(text: str) -> datetime.date:
    moment = datetime.datetime.fromisoformat(text)
    if moment.time() != datetime.time():
        raise ValueError("it has a time of day")
    return moment.date()


def _naive(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError("it has a zone")
    return moment


def _instant(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("it has no zone")
    return moment


_TEXTS: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "date": _date,
    "time": datetime.time.fromisoformat,
    "timestamp": _naive,
    "timestamp_utc": _instant,
}


def _zone(name: str) -> datetime.tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        delta = datetime.timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return datetime.timezone(-delta if offset[1] == "-" else delta)
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        refuse(f"there is no time zone {name!r}", expected="such as America/Halifax or -06:00")


def _at(moment: datetime.datetime, place: datetime.tzinfo) -> datetime.datetime:
    """An instant by a wall clock; one that the clock skipped or showed twice is no instant."""
    early, late = (moment.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        raise ValueError("the clock was changed at that hour")
    return early.astimezone(datetime.UTC)
