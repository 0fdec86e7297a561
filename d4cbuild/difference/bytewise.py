"""Files compared as bytes, and what kind of thing each is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from d4cbuild.difference.record import Layer, Side
from d4cbuild.errors import InputError

_CHUNK = 1 << 20
_HEAD = 1 << 16
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"SQLite format 3\0", "SQLite"),
    (b"ARROW1", "Arrow"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF-", "PDF"),
)
_TAR_AT, _TAR_MAGIC = 257, b"ustar"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into an error of input.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            "it cannot be read", found=error.strerror or str(error), where=str(path)
        ) from error


def side_of(path: Path) -> Side:
    """Look at a file: its kind, size and digest.

    Raises:
        InputError: if it cannot be read.
    """
    with readable(path), path.open("rb") as stream:
        kind = _kind(stream.read(_HEAD))
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Side(str(path), kind, stream.tell(), f"sha256:{digest}")


def sides_of(a: Path, b: Path) -> tuple[Side, Side]:
    """Look at two files at once."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        first, second = pool.map(side_of, (a, b))
        return first, second


def _kind(head: bytes) -> str:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[_TAR_AT : _TAR_AT + len(_TAR_MAGIC)] == _TAR_MAGIC:
        return "tar"
    return text_kind(head)


def text_kind(head: bytes) -> str:
    """``json``, ``text`` or ``binary``, by the first bytes of a file."""
    if not head:
        return "empty"
    if b"\0" in head:
        return "binary"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may be cut at the end of what was read; Latin-1 text is text as well.
        control = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)
        if error.start < len(head) - 4 and control:
            return "binary"
    return "json" if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else "text"


def first_difference(a: Path, b: Path) -> int | None:
    """The first byte, counted from 0, in which two files differ; none if they are the same.

    Raises:
        InputError: if one cannot be read.
    """
    at = 0
    with readable(a), a.open("rb") as file_a, readable(b), b.open("rb") as file_b:
        while True:
            one, other = file_a.read(_CHUNK), file_b.read(_CHUNK)
            if one != other:
                return at + _first(one, other)
            if not one:
                return None
            at += len(one)


def _first(a: bytes, b: bytes) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high) // 2
        if a[: middle + 1] == b[: middle + 1]:
            low = middle + 1
        else:
            high = middle
    return low


def bytes_layer(a: Side, b: Side, first: int | None) -> Layer:
    """What is to be said of the bytes of two files."""
    if first is None:
        return Layer("bytes", True, f"the same {a.size or 0:,} bytes")
    if a.size == b.size:
        sizes = f"{a.size or 0:,} bytes each"
    else:
        sizes = f"{a.size or 0:,} bytes against {b.size or 0:,}"
    return Layer("bytes", False, f"{sizes}; the first that differs is byte {first:,}")
