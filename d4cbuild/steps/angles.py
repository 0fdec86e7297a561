"""Degrees, minutes and seconds as decimal degrees."""

from __future__ import annotations

import re
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc

from .refusal import refuse, some

_SIGNED = re.compile(r"([+-]?)(\d{1,3}(?:\.\d+)?)\s*([NSEWO]?)", re.IGNORECASE)
_PARTED = re.compile(
    r"([+-]?)(\d{1,3})\s*[°d:\s]\s*(\d{1,2})(?:\s*['′m:\s]\s*(\d{1,2}(?:\.\d+)?)\s*[\"″s]?)?"
    r"\s*['′]?\s*([NSEWO]?)",
    re.IGNORECASE,
)
# DDMMSS and thousandths of a second, as the inventory of weather stations writes them.
_PACKED = re.compile(r"([+-]?)(\d{2,3})(\d\d)(\d\d)(\d{3})")


def degrees_of(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Decimal degrees, the nearest float to the exact value.

    Reads ``45°25'15"N``, ``45 25 15``, ``45:25:15.5``, ``45.32N``, ``-75.7`` and the packed
    ``485200000`` (degrees, two digits each of minutes and seconds, three of thousandths). South and
    west are negative; O is west, as in French.

    Args:
        column: Text, or whole numbers for the packed form.
        name: The column's name.
    """
    texts = column.cast(pa.string())
    known: dict[str | None, float | None] = {None: None}
    wrong = []
    for text in pc.unique(texts).to_pylist():
        if text is not None:
            value = _degrees(text.strip())
            if value is None:
                wrong.append(text)
            else:
                known[text] = float(value)
    if wrong:
        refuse(f"column {name!r} has texts that are no angles", found=some(wrong))
    return pa.chunked_array([pa.array([known[t] for t in texts.to_pylist()], pa.float64())])


def _degrees(text: str) -> Fraction | None:
    if found := _PACKED.fullmatch(text):
        sign, degrees, minutes, seconds, thousandths = found.groups()
        return _value(sign, degrees, minutes, f"{seconds}.{thousandths}", "")
    if found := _SIGNED.fullmatch(text):
        return _value(found[1], found[2], "0", "0", found[3])
    if found := _PARTED.fullmatch(text):
        return _value(found[1], found[2], found[3], found[4] or "0", found[5])
    return None


def _value(sign: str, degrees: str, minutes: str, seconds: str, side: str) -> Fraction | None:
    parts = [Fraction(degrees), Fraction(minutes), Fraction(seconds)]
    value = parts[0] + parts[1] / 60 + parts[2] / 3600
    most = 90 if side.upper() in ("N", "S") else 180
    if parts[1] >= 60 or parts[2] >= 60 or value > most or (sign == "-" and side):
        return None
    return -value if sign == "-" or side.upper() in ("S", "W", "O") else value
