"""Text to records, with every fault listed at once."""

import json
import math
import tomllib
from collections.abc import Callable, Iterator
from datetime import date, time
from pathlib import PurePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from d4cbuild.base.canonical import parse_json, pretty_json
from d4cbuild.errors import InputError
from d4cbuild.model.fields import MAXIMUM_INTEGER, Record

R = TypeVar("R", bound=BaseModel)

MAXIMUM_TEXT_BYTES = 16 << 20


def record_from_toml(kind: type[R], data: bytes, where: str) -> R:
    """Read a hand-written TOML file.

    Args:
        kind: The record to read.
        data: The file's bytes.
        where: How to name the file in an error.

    Raises:
        InputError: listing everything that is wrong.
    """
    return _validated(kind, _loaded(tomllib.loads, "TOML", data, where), where)


def record_from_json(kind: type[R], data: bytes, where: str) -> R:
    """Read a generated JSON file.

    Raises:
        InputError: listing everything that is wrong.
    """
    return _validated(kind, _loaded(parse_json, "JSON", data, where), where)


def record_to_json(record: Record) -> bytes:
    """Render a record as the file that is committed: sorted keys, two spaces."""
    return pretty_json(record.as_json())


def _loaded(load: Callable[[str], Any], language: str, data: bytes, where: str) -> Any:
    try:
        return load(_decoded(data, where))
    except RecursionError as error:
        raise InputError("nested too deeply", where=where, hint=_hint(where)) from error
    except ValueError as error:
        raise InputError(
            f"not readable as {language}", found=str(error), where=where, hint=_hint(where)
        ) from error


def _decoded(data: bytes, where: str) -> str:
    if len(data) > MAXIMUM_TEXT_BYTES:
        raise InputError(
            "the file is too large",
            expected=f"at most {MAXIMUM_TEXT_BYTES} bytes",
            found=f"{len(data)} bytes",
            where=where,
            hint=_hint(where),
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not UTF-8",
            found=f"byte {data[error.start]:#04x} at {error.start}",
            where=where,
            hint=_hint(where),
        ) from error


def _validated(kind: type[R], value: Any, where: str) -> R:
    _require_known_schema(kind, value, where)
    faults: dict[str, str] = {}
    try:
        plain = _plain(value, "", faults)
    except RecursionError as error:
        raise InputError("nested too deeply", where=where, hint=_hint(where)) from error
    record: R | None = None
    try:
        # Through JSON: strict validation then takes arrays as tuples and texts as digests.
        record = kind.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        for path, message in _faults(error):
            faults.setdefault(path, message)
    if record is None or faults:
        raise InputError(
            "1 field is wrong" if len(faults) == 1 else f"{len(faults)} fields are wrong",
            found="\n".join(f"{path or 'whole file'}: {text}" for path, text in faults.items()),
            where=where,
            hint=_hint(where),
        )
    return record


def _require_known_schema(kind: type[BaseModel], value: Any, where: str) -> None:
    # First and alone: of a format that is not known, no field can be said to be wrong.
    field = kind.model_fields.get("schema_")
    if field is None:
        return  # others' formats say their version in other ways
    known = get_args(field.annotation)
    found = value.get("schema") if isinstance(value, dict) else None
    if isinstance(found, str) and found not in known:
        raise InputError(
            "this version of d4cbuild does not know the file's format",
            expected=f"schema = {' or '.join(repr(name) for name in known)}",
            found=f"schema = {found[:100]!r}",
            where=where,
            hint="if the format is newer, update d4cbuild; else correct the field schema",
        )


def _plain(value: Any, path: str, faults: dict[str, str]) -> Any:
    """Copy a value without what has no canonical JSON form; each such thing becomes a fault."""
    if isinstance(value, dict):
        for key in value:
            if not _is_unicode(key):
                faults[path] = f"the key {key!r:.100} has half a character (a lone surrogate)"
        return {
            _escaped(key): _plain(inner, f"{path}.{key}".lstrip("."), faults)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_plain(inner, f"{path}[{i}]", faults) for i, inner in enumerate(value)]
    if isinstance(value, str) and not _is_unicode(value):
        faults[path] = f"half a character (a lone surrogate) in {value!r:.100}"
        return _escaped(value)
    if isinstance(value, float) and not math.isfinite(value):
        faults[path] = f"{value} has no JSON form"
        return 1.0
    if isinstance(value, int | float) and MAXIMUM_INTEGER < abs(value) < _beyond(value):
        faults[path] = "a whole number beyond 2**53 - 1, which JSON cannot hold exactly"
        return 1
    if isinstance(value, date | time):
        faults[path] = f"{value} is a TOML date or time: write it as text, in quotes"
        return value.isoformat()
    return value


def _beyond(value: float) -> float:
    # Floats from 1e21 on are written with an exponent, and read again as what they were.
    return 1e21 if isinstance(value, float) else math.inf


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    faults = error.errors(include_url=False, include_context=False)
    for fault in faults:
        size = len(fault["loc"])
        if fault["type"] == "too_short" and any(
            len(other["loc"]) > size and other["loc"][:size] == fault["loc"] for other in faults
        ):
            continue  # entries are there, but faulty ones, and those are named already
        path = ""
        for part in fault["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}"
        message = fault["msg"].removeprefix("Value error, ")
        shown = "" if isinstance(fault["input"], dict | list) else f" (got {fault['input']!r:.100})"
        found.setdefault(path.lstrip("."), []).append(f"{message}{shown}")
    for path, messages in found.items():
        yield path, "; ".join(messages)


def _hint(where: str) -> str:
    name = PurePath(where).name
    folder = PurePath(where).parent
    if name == "recipe.lock":
        return f"git checkout {where}, or write it again: d4cbuild lock {folder}"
    if name == "manifest.json":
        return f"git checkout {where}, or write it again: d4cbuild build {folder}"
    if name == "environment.lock":
        return f"git checkout {where}, or write it again: d4cbuild env lock {folder.name}"
    return f"mend {where} and try again"
