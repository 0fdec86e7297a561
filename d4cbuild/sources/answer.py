"""What an HTTP answer means for a download. Decisions only; :mod:`.http` does the talking.

Source: RFC 9110, sections 8.6 (Content-Length), 8.8 (validators), 10.2.3 (Retry-After),
13.1.5 (If-Range), 14.4 (Content-Range) and 15.4 (redirection).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from d4cbuild.errors import Unavailable

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that a later attempt may not meet."""

FORBIDDEN = 403
GONE = frozenset({404, 410})

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_NUMBER = re.compile(r"[0-9]{1,18}")
_SAME_CLOCK_S = 60


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The part of the file that a 206 answer holds.

    Attributes:
        first: Offset of its first byte.
        last: Offset of its last byte.
        total: Size of the whole file in bytes, where the server knows it.
    """

    first: int
    last: int
    total: int | None


def content_range(headers: Mapping[str, str]) -> ContentRange | None:
    """Read ``Content-Range``; ``None`` if it is missing or makes no sense."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if last < first or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def content_length(headers: Mapping[str, str]) -> int | None:
    """The announced size of the body in bytes; ``None`` where none can be relied on."""
    text = headers.get("Content-Length", "").strip()
    if headers.get("Transfer-Encoding") or _NUMBER.fullmatch(text) is None:
        return None
    return int(text)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Return what proves that two answers are parts of the same bytes, or ``None``.

    That is a strong ``ETag``; else a ``Last-Modified`` so long before the answer's ``Date`` that
    no second change can hide in it. A weak ETag does not promise the same bytes.
    """
    etag = headers.get("ETag", "").strip()
    if _STRONG_ETAG.fullmatch(etag) is not None:
        return etag
    modified, answered = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    if modified is None or answered is None:
        return None
    age_s = (answered - modified).total_seconds()
    return headers["Last-Modified"].strip() if age_s >= _SAME_CLOCK_S else None


def contradicts(validator: str, headers: Mapping[str, str]) -> bool:
    """Whether an answer says that its bytes are not those the validator stands for."""
    name = "ETag" if validator.startswith('"') else "Last-Modified"
    return headers.get(name, validator).strip() != validator


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the server asks to be left alone, in seconds; ``None`` if it does not say."""
    text = headers.get("Retry-After", "").strip()
    if _NUMBER.fullmatch(text) is not None:
        return float(text)
    moment = _date(text)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def transformation(headers: Mapping[str, str]) -> str | None:
    """Name what was done to the bytes on the way, or ``None`` if nothing was.

    A compressed answer is refused rather than undone: what is hashed must be the file.
    """
    for name, harmless in (("Content-Encoding", "identity"), ("Transfer-Encoding", "chunked")):
        value = headers.get(name, "").strip()
        if value and value.lower() != harmless:
            return f"{name}: {value}"
    return None


def address_fault(address: str) -> str | None:
    """Say why an address is not one to fetch from, or ``None`` if it is."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        return f"not an address: {error}"
    if parts.scheme.lower() not in ("http", "https"):
        return f"only http and https are fetched from, not {parts.scheme or 'no scheme'}"
    if not host:
        return "an address without a host"
    if parts.username is not None or parts.password is not None:
        return "an address with a user name or password in it"
    return None


def redirect_target(address: str, location: str | None) -> str:
    """Return where a redirect leads.

    Raises:
        Unavailable: if it leads nowhere, off the web, or from https to http.
    """
    if not location:
        raise Unavailable("a redirect to nowhere", where=address)
    try:
        target = urljoin(address, location)
    except ValueError as error:
        raise Unavailable(f"a redirect to no address: {error}", where=address) from error
    fault = address_fault(target)
    if fault is None and urlsplit(address).scheme == "https" != urlsplit(target).scheme:
        fault = "it leads from https to http, where anyone could change the bytes"
    if fault is not None:
        raise Unavailable(f"a redirect that is not followed: {fault}", found=target, where=address)
    return target


def place(address: str) -> tuple[str, str]:
    """What must stay the same for a download to be resumed: host and path.

    The query may change: signed addresses get a new one at each redirect.
    """
    parts = urlsplit(address)
    return parts.netloc.lower(), parts.path


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # An HTTP date is always in GMT; "-0000" is read as a time without a zone.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
