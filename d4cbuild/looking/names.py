"""Names for columns and tables, in small letters and underscores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_HUMP = re.compile(r"(?<=[a-z0-9]{2})(?=[A-Z])")
_SIGNS = {"%": " percent ", "°": " deg ", "#": " number ", "$": " dollars ", "œ": "oe", "Œ": "OE"}
_LONGEST_COLUMN = 63
_LONGEST_TABLE = 40
# Of a name in two languages each half has at least so many characters.
_HALF = 10


def column_names(given: Sequence[str]) -> list[str]:
    """A name of its own for each column, in the order of the columns."""
    made: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(given, start=1):
        english, _ = halves(name)
        base = snake(english, _LONGEST_COLUMN) or f"column_{number}"
        base = base if base[0].isalpha() else f"c_{base}"
        chosen, count = base, 1
        while chosen in taken:
            count += 1
            chosen = f"{base}_{count}"
        taken.add(chosen)
        made.append(chosen)
    return made


def halves(name: str) -> tuple[str, str]:
    """A column's name in English and in French, where it has both with a slash between them."""
    parts = [part.strip() for part in name.split("/")]
    if len(parts) == 2 and all(len(part) >= _HALF for part in parts):
        return parts[0], parts[1]
    return name.strip(), name.strip()


def table_name(path: str) -> str:
    """A name for the table in a file."""
    stem = re.sub(r"(\.[A-Za-z][A-Za-z0-9]*)+$", "", path.rsplit("/", 1)[-1])
    name = snake(stem, _LONGEST_TABLE) or "data"
    return name if name[0].isalpha() else f"t_{name}"[:_LONGEST_TABLE].rstrip("_")


def snake(name: str, longest: int) -> str:
    """Small letters and digits without accents, underscores between words."""
    for sign, word in _SIGNS.items():
        name = name.replace(sign, word)
    bare = unicodedata.normalize("NFKD", _HUMP.sub("_", name))
    ascii_only = bare.encode("ascii", "ignore").decode().lower()
    ascii_only = ascii_only.replace("'", "")
    return re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:longest].rstrip("_")
