"""Faults of a record, as its reader tells them, put at the lines where they are."""

from __future__ import annotations

import re

from d4cbuild.errors import D4CError
from d4cbuild.hazards.finding import Finding
from d4cbuild.hazards.toml_places import toml_places

_FAULT = re.compile(r"(whole file|[A-Za-z_][\w-]*(?:\[\d+\]|\.[\w-]+)*): (.*)")
_PLACE = re.compile(r"\s*\(?at line (\d+),? column (\d+)\)?|: line (\d+) column (\d+)[^\n]*")


def record_faults(error: D4CError, text: str, shown: str) -> list[Finding]:
    """Findings for every fault that an error lists.

    Args:
        error: What the reader of the record raised.
        text: The file it read; TOML, or anything else where places are not known.
        shown: How to name the file.
    """
    place = _PLACE.search(error.found or "")
    if place is not None:
        line, column = (int(part) for part in place.groups() if part is not None)
        message = f"{error.message}: {_PLACE.sub('', error.found or '')}"
        return [_error(shown, line, column, "syntax", message, error)]
    places = toml_places(text)
    found = []
    for fault in (error.found or "").splitlines():
        match = _FAULT.fullmatch(fault)
        if match is None:
            continue
        path = "" if match[1] == "whole file" else match[1]
        line, column = places.of(path)
        message = f"{path}: {match[2]}" if path else match[2]
        found.append(_error(shown, line, column, "field", message, None))
    if found:
        return found
    about = "dataset.id" if error.hint and "dataset.id" in error.hint else "schema"
    return [_error(shown, *places.of(about), "record", _whole(error), error)]


def fault(error: D4CError, name: str, shown: str, place: tuple[int, int] = (1, 1)) -> Finding:
    """One finding for an error that is about a whole file."""
    return _error(shown, *place, name, _whole(error), error)


def _whole(error: D4CError) -> str:
    parts = [error.message]
    parts += [f"expected {error.expected}"] if error.expected else []
    parts += [f"found {error.found}"] if error.found else []
    return "; ".join(" ".join(part.split()) for part in parts)


def _error(
    file: str, line: int, column: int, name: str, message: str, error: D4CError | None
) -> Finding:
    remedy = "" if error is None or error.hint is None else error.hint
    remedy = remedy or "see d4cbuild/spec/recipe-1.md for what the field holds"
    return Finding(file, line, column, name, message, remedy, "error")
