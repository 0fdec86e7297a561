"""Text to records, with every fault listed at once."""

import json
import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from d4cbuild.base.canonical import parse_json, pretty_json
from d4cbuild.errors import InputError
from d4cbuild.model.fields import Record

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
    try:
        table = tomllib.loads(_decoded(data, where))
    except tomllib.TOMLDecodeError as error:
        raise InputError("not readable as TOML", found=str(error), where=where) from error
    except RecursionError as error:
        raise InputError("nested too deeply", where=where) from error
    return _validated(kind, table, where)


def record_from_json(kind: type[R], data: bytes, where: str) -> R:
    """Read a generated JSON file.

    Raises:
        InputError: listing everything that is wrong.
    """
    try:
        value = parse_json(_decoded(data, where))
    except ValueError as error:
        raise InputError("not readable as JSON", found=str(error), where=where) from error
    except RecursionError as error:
        raise InputError("nested too deeply", where=where) from error
    return _validated(kind, value, where)


def record_to_json(record: Record) -> bytes:
    """Render a record as the file that is committed: sorted keys, two spaces."""
    return pretty_json(record.as_json())


def _decoded(data: bytes, where: str) -> str:
    if len(data) > MAXIMUM_TEXT_BYTES:
        raise InputError(
            "the file is too large",
            expected=f"at most {MAXIMUM_TEXT_BYTES} bytes",
            found=f"{len(data)} bytes",
            where=where,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not UTF-8",
            found=f"byte {data[error.start]:#04x} at {error.start}",
            where=where,
        ) from error


def _validated(kind: type[R], value: Any, where: str) -> R:
    try:
        # Through JSON: strict validation then takes arrays as tuples and texts as digests, and a
        # TOML date, which has no JSON form, is refused by name.
        return kind.model_validate_json(json.dumps(value, allow_nan=False, default=_no_dates))
    except ValidationError as error:
        raise InputError(
            _summary(error),
            found=_faults(error),
            where=where,
            hint=f"d4cbuild show {where}"
            if where.endswith("manifest.json")
            else f"mend {where} and try again",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError("a value has no JSON form", found=str(error), where=where) from error


def _no_dates(value: object) -> str:
    raise ValueError(f"{value} is a TOML date or time: write it as text, in quotes")


def _summary(error: ValidationError) -> str:
    count = error.error_count()
    return "1 field is wrong" if count == 1 else f"{count} fields are wrong"


def _faults(error: ValidationError) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_context=False):
        path = ""
        for part in fault["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{part}"
        message = fault["msg"].removeprefix("Value error, ")
        shown = "" if isinstance(fault["input"], dict | list) else f" (got {fault['input']!r:.100})"
        lines.append(f"{path.lstrip('.') or 'whole file'}: {message}{shown}")
    return "\n".join(lines)
