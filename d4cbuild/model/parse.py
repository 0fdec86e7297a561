"""Text to records, with every fault listed at once."""

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from pathlib import PurePath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from d4cbuild.base.canonical import parse_json, pretty_json
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError
from d4cbuild.model.fields import MAXIMUM_INTEGER, Misfits, Record

R = TypeVar("R", bound=BaseModel)

MAXIMUM_TEXT_BYTES = LIMITS.text_bytes


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


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one field.

    Attributes:
        path: The field, such as ``outputs[0].columns[2].type``; empty for the whole file.
        kind: What kind of fault: pydantic's name of it, or one of ours (``misfit``, ``toml-date``,
            ``no-json``).
        message: What is wrong, in words.
        got: The value as Python shows it, where that is short and not in the message.
    """

    path: str
    kind: str
    message: str
    got: str = ""

    def __str__(self) -> str:
        return f"{self.message} (got {self.got})" if self.got else self.message


def examined(kind: type[R], value: Any) -> tuple[R | None, list[Fault]]:
    """Read a value as a record.

    Returns:
        The record, if it can be read, and everything that is wrong.

    Raises:
        RecursionError: if the value is nested too deeply.
    """
    plain_faults: dict[str, Fault] = {}
    plain = _plain(value, "", plain_faults)
    try:
        # Through JSON: strict validation then takes arrays as tuples and texts as digests.
        record = kind.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        faults = [each for each in _faults(error, plain) if each.path not in plain_faults]
        return None, [*plain_faults.values(), *faults]
    return (None if plain_faults else record), list(plain_faults.values())


def _validated(kind: type[R], value: Any, where: str) -> R:
    _require_known_schema(kind, value, where)
    try:
        record, faults = examined(kind, value)
    except RecursionError as error:
        raise InputError("nested too deeply", where=where, hint=_hint(where)) from error
    if record is None:
        told = _told(faults)
        raise InputError(
            "1 field is wrong" if len(told) == 1 else f"{len(told)} fields are wrong",
            found="\n".join(f"{path or 'whole file'}: {text}" for path, text in told.items()),
            where=where,
            hint=_hint(where),
        )
    return record


def _told(faults: Iterable[Fault]) -> dict[str, str]:
    """What is wrong, by field."""
    told: dict[str, str] = {}
    for fault in faults:
        before = told.get(fault.path)
        told[fault.path] = str(fault) if before is None else f"{before}; {fault}"
    return told


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


def _plain(value: Any, path: str, faults: dict[str, Fault]) -> Any:
    """Copy a value without what has no canonical JSON form; each such thing becomes a fault."""

    def note(kind: str, message: str) -> None:
        faults[path] = Fault(path, kind, message)

    if isinstance(value, dict):
        for key in value:
            if not _is_unicode(key):
                note("no-json", f"the key {key!r:.100} has half a character (a lone surrogate)")
        return {
            _escaped(key): _plain(inner, f"{path}.{key}".lstrip("."), faults)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_plain(inner, f"{path}[{i}]", faults) for i, inner in enumerate(value)]
    if isinstance(value, str) and not _is_unicode(value):
        note("no-json", f"half a character (a lone surrogate) in {value!r:.100}")
        return _escaped(value)
    if isinstance(value, float) and not math.isfinite(value):
        note("no-json", f"{value} has no JSON form")
        return 1.0
    if isinstance(value, int | float) and MAXIMUM_INTEGER < abs(value) < _beyond(value):
        note("no-json", "a whole number beyond 2**53 - 1, which JSON cannot hold exactly")
        return 1
    if isinstance(value, date | time):
        note("toml-date", f"{value} is a TOML date or time: write it as text, in quotes")
        return value.isoformat()
    return value


def _beyond(value: float) -> float:
    # Floats from 1e21 on are written with an exponent, and read again as what they were.
    return 1e21 if isinstance(value, float) else math.inf


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _faults(error: ValidationError, value: Any) -> Iterator[Fault]:
    faults = error.errors(include_url=False)
    for fault in faults:
        size = len(fault["loc"])
        if fault["type"] == "too_short" and any(
            len(other["loc"]) > size and other["loc"][:size] == fault["loc"] for other in faults
        ):
            continue  # entries are there, but faulty ones, and those are named already
        path = _path(fault["loc"], value).lstrip(".")
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, Misfits):
            for inner, text in cause.faults:
                whole = f"{path}{inner}" if inner.startswith("[") else f"{path}.{inner}"
                yield Fault(whole.strip("."), "misfit", text)
            continue
        message = fault["msg"].removeprefix("Value error, ")
        got = "" if isinstance(fault["input"], dict | list) else f"{fault['input']!r:.100}"
        yield Fault(path, fault["type"], message, got)


def _path(places: tuple[int | str, ...], value: Any) -> str:
    """A place as the file has it: without the kind of a step, which pydantic puts into it."""
    path = ""
    for part in places:
        if isinstance(value, dict) and part not in value and value.get("step") == part:
            continue
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            value = None
    return path


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
