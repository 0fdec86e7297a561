"""What somebody probably meant by a value, field by field, and whether that is certain."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from d4cbuild.errors import InputError
from d4cbuild.faults.forms import general
from d4cbuild.faults.nearest import nearest, slug
from d4cbuild.faults.spot import quoted
from d4cbuild.model.columntype import SIMPLE_TYPES, parse_column_type
from d4cbuild.model.licences import KNOWN, licence_named

PROVINCES: Final = {
    "ca-ab": "alberta",
    "ca-bc": "british columbia",
    "ca-mb": "manitoba",
    "ca-nb": "new brunswick",
    "ca-nl": "newfoundland and labrador",
    "ca-ns": "nova scotia",
    "ca-nt": "northwest territories",
    "ca-nu": "nunavut",
    "ca-on": "ontario",
    "ca-pe": "prince edward island",
    "ca-qc": "quebec",
    "ca-sk": "saskatchewan",
    "ca-yt": "yukon",
}
"""Provinces and territories in ISO 3166-2, with their names."""

_SLUG: Final = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*", re.ASCII)
_TYPES: Final = {
    **dict.fromkeys(("text", "str", "varchar", "utf8", "large_string"), "string"),
    **dict.fromkeys(("double", "double precision"), "float64"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("bigint",), "int64"),
    **dict.fromkeys(("smallint",), "int16"),
    **dict.fromkeys(("tinyint",), "int8"),
    **dict.fromkeys(("blob", "bytes"), "binary"),
}
"""Names that mean one type in every language; ``int`` and ``float`` do not."""

_SIZES: Final = {"b": "B", "kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB"}
_TIMES: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
}
_LISTS: Final = ("outputs[].sort_by", "sources[].mirrors", "outputs[].columns[].geometry_types")


@dataclass(frozen=True)
class Suggestion:
    """A value to write instead.

    Attributes:
        toml: As TOML.
        certain: Whether it is the one right answer, so that a program may write it.
    """

    toml: str
    certain: bool = False


def suggestion(path: str, value: Any, raw: str) -> Suggestion | None:
    """What a value was probably meant to be.

    Args:
        path: The field.
        value: What the file has there.
        raw: The same as it is written.

    Returns:
        ``None`` where nothing can be said.
    """
    where = general(path)
    if isinstance(value, str):
        field = _FIELDS.get(where)
        return None if field is None else field(value)
    if where == "dataset.vintage" and re.fullmatch(r"[12][0-9]{3}", raw):
        return Suggestion(quoted(raw), True)
    if where == "dataset.version" and re.fullmatch(r"[0-9][0-9.]*", raw):
        return _version(raw)
    return None


def of_kind(kind: str, path: str, value: Any) -> Suggestion | None:
    """What a value of another type was probably meant to be, whatever the field.

    Args:
        kind: Pydantic's name of the fault.
        path: The field.
        value: What the file has there.
    """
    if kind == "bool_type" and isinstance(value, str):
        return _boolean(value)
    if kind == "bool_type" and value in (0, 1):
        return Suggestion("true" if value else "false")
    if kind == "int_type" and isinstance(value, str):
        return _whole_number(value)
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return Suggestion(str(int(value)), True)
    if kind == "tuple_type" and isinstance(value, str) and general(path) != "build.command":
        parts = [part.strip() for part in value.split(",") if part.strip()]
        certain = general(path) in _LISTS and len(parts) == 1
        return Suggestion(f"[{', '.join(quoted(part) for part in parts)}]", certain)
    return None


def chosen(value: str, choices: Sequence[str]) -> Suggestion | None:
    """The one of a list that a value was probably meant to be."""
    same = [each for each in choices if each.casefold() == value.strip().casefold()]
    if same:
        return Suggestion(quoted(same[0]), True)
    if "file" in choices and re.fullmatch(r"\.?(csv|json|geojson|gpkg|xlsx|zip|tiff?|txt)", value):
        return Suggestion(quoted("file"))
    close = nearest(value, choices)
    return None if close is None else Suggestion(quoted(close))


def _whole_number(value: str) -> Suggestion | None:
    if re.fullmatch(r"0|[1-9][0-9]{0,14}", value):
        return Suggestion(value, True)
    bare = re.sub(r"[\s,_]", "", value)
    return Suggestion(bare) if re.fullmatch(r"0|[1-9][0-9]{0,14}", bare) else None


def _slug(joint: str) -> Callable[[str], Suggestion | None]:
    def suggest(value: str) -> Suggestion | None:
        lower = value.strip().lower()
        if _SLUG.fullmatch(lower):
            return Suggestion(quoted(lower), True)
        made = slug(value, joint)
        return None if made is None else Suggestion(quoted(made))

    return suggest


def _region(value: str) -> Suggestion | None:
    lower = value.strip().lower()
    if re.fullmatch(r"[a-z]{2}(-[a-z0-9]{1,3})?", lower):
        return Suggestion(quoted(lower), True)
    if re.fullmatch(r"ca[_. ]?[a-z]{2}", lower) and f"ca-{lower[-2:]}" in PROVINCES:
        return Suggestion(quoted(f"ca-{lower[-2:]}"))
    names = {"canada": "ca", **{name: code for code, name in PROVINCES.items()}}
    close = nearest((slug(value, " ") or ""), names)
    return None if close is None else Suggestion(quoted(names[close]))


def _dguid(value: str) -> Suggestion | None:
    plain = re.sub(r"[\s-]", "", value)
    upper = plain[:5].upper() + plain[5:]
    if re.fullmatch(r"\d{4}[ASCBZ]\d{4}[A-Za-z0-9.]{1,11}", upper, re.ASCII) is None:
        return None
    return Suggestion(quoted(upper), plain == value)


def _vintage(value: str) -> Suggestion | None:
    text = value.strip()
    if years := re.fullmatch(r"(\d{4})\s*(?:-|–|—|/|to|à)\s*(\d{4})", text, re.ASCII):
        return Suggestion(quoted(f"{years[1]}--{years[2]}")) if years[1] < years[2] else None
    if quarter := re.fullmatch(r"(\d{4})[- ]?[Qq]([1-4])", text, re.ASCII):
        first = int(quarter[2]) * 3 - 2
        return Suggestion(quoted(f"{quarter[1]}-{first:02}--{quarter[1]}-{first + 2:02}"))
    date = re.fullmatch(r"(\d{4})[-/. ](\d{1,2})(?:[-/. ](\d{1,2}))?", text, re.ASCII)
    if date is None or not 1 <= int(date[2]) <= 12 or not 1 <= int(date[3] or 1) <= 28:
        return None
    return Suggestion(
        quoted("-".join([date[1], *(f"{int(p):02}" for p in date.groups()[1:] if p)]))
    )


def _version(value: str) -> Suggestion | None:
    match = re.match(r"[vV]?((?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,2})", value.strip())
    if match is None:
        return None
    numbers = match[1].split(".")
    whole = ".".join([*numbers, "0", "0"][:3])
    return Suggestion(quoted(whole), match[0] == value.strip())


def _web_address(value: str) -> Suggestion | None:
    bare = value.strip()
    if re.fullmatch(r"[\w.-]+\.[a-z]{2,}(/\S*)?", bare):
        return Suggestion(quoted(f"https://{bare}"))
    if re.match(r"https?://", bare) and " " in bare:
        return Suggestion(quoted(bare.replace(" ", "%20")))
    return None


def _licence(value: str) -> Suggestion | None:
    named = licence_named(value)
    if named is not None:
        return Suggestion(quoted(named), True)
    close = nearest(value, KNOWN)
    return None if close is None else Suggestion(quoted(close))


def _size(value: str) -> Suggestion | None:
    match = re.fullmatch(r"([0-9]{1,12})\s*([A-Za-z]*)", value.strip())
    if match is None:
        return None
    unit = match[2].lower()
    if unit in _SIZES:
        return Suggestion(quoted(f"{match[1]}{_SIZES[unit]}"), True)
    # 2 GB are 2,000,000,000 bytes to some and 2 GiB to others.
    meant = {"k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB"}.get(unit[:1])
    return None if meant is None else Suggestion(quoted(f"{match[1]}{meant}"))


def _time(value: str) -> Suggestion | None:
    match = re.fullmatch(r"([0-9]{1,9})\s*([A-Za-z]*)\.?", value.strip())
    if match is None:
        return None
    unit = _TIMES.get(match[2].lower())
    if unit is not None:
        return Suggestion(quoted(f"{match[1]}{unit}"), True)
    return Suggestion(quoted(f"{match[1]}m")) if match[2] in ("", "M") else None


def _column_type(value: str) -> Suggestion | None:
    lower = " ".join(value.split()).lower()
    if lower in _TYPES:
        return Suggestion(quoted(_TYPES[lower]), True)
    lower = re.sub(r"^numeric\(", "decimal(", lower)
    try:
        # Names within a struct keep their case, so only types without any are written anew.
        if "struct" not in lower:
            return Suggestion(quoted(str(parse_column_type(lower))), True)
    except InputError:
        pass
    ambiguous = {"int": "int32", "integer": "int32", "float": "float64", "decimal": "decimal(9,2)"}
    ambiguous |= {"datetime": "timestamp_utc", "number": "float64", "long": "int64"}
    close = ambiguous.get(lower) or nearest(lower, SIMPLE_TYPES)
    return None if close is None else Suggestion(quoted(close))


def _boolean(value: str) -> Suggestion | None:
    lower = value.strip().lower()
    if lower in ("true", "false"):
        return Suggestion(lower, True)
    meant = {"yes": "true", "oui": "true", "no": "false", "non": "false"}.get(lower)
    return None if meant is None else Suggestion(meant)


def _source_name(value: str) -> Suggestion | None:
    stem, dot, extension = value.strip().lower().rpartition(".")
    made = slug(stem if dot else extension, "_")
    tail = f".{extension}" if dot and extension.isalnum() else ""
    return None if made is None else Suggestion(quoted(f"{made}{tail}"[:64]))


def _output_name(value: str) -> Suggestion | None:
    made = (slug(value, "_") or "").lstrip("0123456789_")[:40]
    return Suggestion(quoted(made)) if made else None


def _command(value: str) -> Suggestion | None:
    try:
        words = shlex.split(value)
    except ValueError:
        return None
    return Suggestion(f"[{', '.join(quoted(word) for word in words)}]") if words else None


def _bilingual(value: str) -> Suggestion:
    return Suggestion(f'{{ en = {quoted(value[:60])}, fr = "…" }}')


_FIELDS: Final[dict[str, Callable[[str], Suggestion | None]]] = {
    "dataset.id": lambda value: _made(slug(value, "-")),
    "dataset.region": _region,
    "dataset.source": _slug("-"),
    "dataset.dguid": _dguid,
    "dataset.package": _slug("-"),
    "dataset.topic": _slug("_"),
    "dataset.variant": _slug("_"),
    "dataset.vintage": _vintage,
    "dataset.version": _version,
    "dataset.title": _bilingual,
    "dataset.description": _bilingual,
    "sources[].name": _source_name,
    "sources[].url": _web_address,
    "sources[].licence": _licence,
    "sources[].attribution": _bilingual,
    "build.command": _command,
    "build.resources.memory": _size,
    "build.resources.disk": _size,
    "build.resources.time": _time,
    "outputs[].name": _output_name,
    "outputs[].file": _source_name,
    "outputs[].title": _bilingual,
    "outputs[].columns[].type": _column_type,
    "outputs[].columns[].description": _bilingual,
}


def _made(text: str | None) -> Suggestion | None:
    return None if text is None else Suggestion(quoted(text[:40].rstrip("-")))
