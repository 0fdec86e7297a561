"""Field types shared by the records, and the base of all records."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from d4cbuild.base.digest import Digest
from d4cbuild.model.quantities import parse_bytes, parse_seconds, render_bytes, render_seconds

MAXIMUM_INTEGER = (1 << 53) - 1
"""Beyond it JSON has no one form of a number (RFC 8785)."""


class Record(BaseModel):
    """Base of every record: frozen, strict, and closed to unknown fields."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,
        strict=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values; fields that are ``None`` are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Misfits(ValueError):
    """Fields of a record that are right alone but do not fit together.

    Args:
        faults: For each, the path of the field within the record, and what is wrong.
    """

    def __init__(self, faults: Iterable[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(text for _, text in self.faults))


def require_fit(faults: Iterable[tuple[str, str]]) -> None:
    """Raise if there are faults.

    Raises:
        Misfits: all of them.
    """
    if listed := tuple(faults):
        raise Misfits(listed)


def _digest(value: object) -> Digest:
    if isinstance(value, Digest):
        return value
    if isinstance(value, str):
        return Digest.parse(value)
    raise ValueError("a digest is text: algorithm:hex")


DigestField = Annotated[
    Digest,
    PlainValidator(_digest),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": "^(blake3|sha256):[0-9a-f]{64}$|^md5:[0-9a-f]{32}$"}
    ),
]
"""A :class:`~d4cbuild.base.digest.Digest`, written ``algorithm:hex``."""


def _no_control_characters(text: str) -> str:
    for character in text:
        # Bidirectional overrides and control characters could make a text read as another.
        if (ord(character) < 32 and character not in "\n\t") or character in _INVISIBLE:
            raise ValueError(f"control character U+{ord(character):04X} in text")
    return text


_INVISIBLE = frozenset("\x7f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True),
    AfterValidator(_no_control_characters),
]


class Bilingual(Record):
    """A text in both official languages of Canada."""

    en: Text
    """English."""

    fr: Text
    """French."""


class Keywords(Record):
    """Search words in both languages."""

    en: tuple[Text, ...] = ()
    """English."""

    fr: tuple[Text, ...] = ()
    """French."""


def _pattern(regex: str, words: str, further: Callable[[str], str] = str) -> Any:
    # ASCII, or \d would take the digits of every script.
    compiled = re.compile(regex, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(f"{value[:80]!r} is not {words}")
        return further(value)

    return Annotated[
        str, AfterValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{regex}$"})
    ]


DatasetId = _pattern(r"[a-z0-9][a-z0-9-]{0,39}", "1 to 40 characters of a-z, 0-9 and '-'")
Slug = _pattern(r"[a-z0-9]+([_-][a-z0-9]+)*", "a slug: a-z and 0-9, parted by '_' or '-'")
OptionalSlug = _pattern(r"([a-z0-9]+([_-][a-z0-9]+)*)?", "empty or a slug: a-z, 0-9, '_' and '-'")
Region = _pattern(
    r"[a-z]{2}(-[a-z0-9]{1,3})?", "an ISO 3166 code in lower case, such as ca or ca-on"
)
Dguid = _pattern(
    r"\d{4}[ASCBZ]\d{4}[A-Za-z0-9.]{1,11}", "a DGUID: year, type letter, schema, identifier"
)
_DATE = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"


def _real_dates(text: str) -> str:
    parts = text.split("--")
    for part in parts:
        try:
            date.fromisoformat(part + "-01-01"[len(part) - 4 :])
        except ValueError as error:
            raise ValueError(f"{part!r} is no date: {error}") from error
    if len(parts) == 2 and parts[1][: len(parts[0])] < parts[0][: len(parts[1])]:
        raise ValueError(f"{text!r} ends before it begins")
    return text


Vintage = _pattern(
    f"{_DATE}(--{_DATE})?",
    "a date such as 2020, 2020-08 or 2020-08-01, or two of them joined by '--'",
    _real_dates,
)
SemanticVersion = _pattern(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", "a version such as 1.0.0")
SourceName = _pattern(
    r"[a-z0-9][a-z0-9_.-]{0,63}", "a file name of a-z, 0-9, '_', '.' and '-', at most 64 long"
)
OutputName = _pattern(
    r"[a-z][a-z0-9_]{0,39}", "1 to 40 characters of a-z, 0-9 and '_', a letter first"
)
Licence = _pattern(
    r"(LicenseRef-)?[A-Za-z0-9][A-Za-z0-9.+-]{1,99}", "an SPDX identifier or LicenseRef-name"
)
# No user and password before the host: addresses are published.
_HOST = r"https?://[^\s\"'<>\\/?#@]{1,255}"
WebAddress = _pattern(
    _HOST + r"([/?#][^\s\"'<>\\]{0,2000})?", "an http or https address, without a password"
)
SharedStoreAddress = _pattern(
    _HOST + r"(/[^\s\"'<>\\?#]{0,2000})?|/[^\x00-\x1f\x7f]{0,2000}"
    r"|[A-Za-z0-9_.][A-Za-z0-9_.-]*:[A-Za-z0-9_./+=@,-]{0,2000}",
    "a shared store: https://…, remote:path of rclone, or /path of a folder",
)
# A key is 32 bytes, so its last digit stands for four bits only: each key has one text.
PublicKeyText = _pattern(
    r"ed25519:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=",
    "a public key as d4cbuild key show prints it: ed25519: and 44 characters of base64",
)
BuilderName = _pattern(r"[a-z0-9]+(-[a-z0-9]+)*", "a builder's name: a-z and 0-9, parted by '-'")
Crs = _pattern(r"[A-Z]{2,10}:[A-Za-z0-9_.]{1,40}", "a CRS such as EPSG:4326")
CellRange = _pattern(r"[A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7}", "a range of cells such as A6:P11007")
GitHash = _pattern(r"[0-9a-f]{40}", "a git object id of 40 hex digits")
Platform = _pattern(r"linux/amd64", "linux/amd64, the one platform of this version")

Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes),
    PlainSerializer(render_bytes, return_type=str),
    Field(ge=1 << 20, le=1 << 50),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB)$"}),
]
"""A size, written with its binary unit: ``2GiB``. In bytes; from 1 MiB to 1 PiB."""

Seconds = Annotated[
    int,
    BeforeValidator(parse_seconds),
    PlainSerializer(render_seconds, return_type=str),
    Field(ge=1, le=30 * 24 * 3600),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+ ?(s|m|h)$"}),
]
"""A duration, written with its unit: ``10m``. In seconds; at most thirty days."""

Count = Annotated[int, Field(ge=0, le=MAXIMUM_INTEGER)]
"""How many, or how many bytes."""

Epoch = Annotated[int, Field(ge=0, le=(1 << 33) - 1)]
"""Seconds since 1970, as far as a tar archive can say."""

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_no_control_characters),
]
"""A name as it is written, white space included."""


def _scalar(words: str, *kinds: type) -> Any:
    # One validator for all kinds, so that a wrong value is one fault and not one of each kind.
    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, kinds):
            raise ValueError(f"expected {words}")
        if isinstance(value, int) and abs(value) > MAXIMUM_INTEGER:
            raise ValueError(f"expected {words}, no further from 0 than 2**53 - 1")
        return value

    names = {int: "integer", float: "number", str: "string"}
    return Annotated[
        str | int | float,
        PlainValidator(check),
        WithJsonSchema({"type": [names[kind] for kind in kinds]}),
    ]


Bound = _scalar("a number, or a date or time as text", int, float, str)
Listed = _scalar("a text or a whole number", int, str)
