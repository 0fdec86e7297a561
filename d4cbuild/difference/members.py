"""Archives: the members of zip and tar, what gzip and its like hold, and folders of files."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import zstandard

from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

KINDS = ("zip", "tar", "gzip", "bzip2", "xz", "zstandard")
LARGEST = LIMITS.compared_bytes
"""Bytes of all members together; what unpacks to more is not looked into."""
_READ = 1 << 20
_FAULTS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # what zipfile raises where a member is encrypted
    ValueError,
)


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        size: Bytes.
        sha256: Digest of its bytes.
    """

    size: int
    sha256: str


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (*_FAULTS, OSError) as error:
        raise InputError(
            "the archive cannot be read",
            found=(str(error).splitlines() or [type(error).__name__])[0],
            where=str(path),
            hint="fetch or make it again",
        ) from error


def members_of(path: Path, kind: str) -> dict[str, Member]:
    """Digest every member of an archive, by name; repeated names are numbered.

    Raises:
        InputError: if it cannot be read.
    """
    found: dict[str, Member] = {}
    total = 0
    with _reading(path):
        for name, stream in _streams(path, kind):
            hasher, size = hashlib.sha256(), 0
            for chunk in iter(lambda: stream.read(_READ), b""):  # noqa: B023 - used at once
                hasher.update(chunk)
                size += len(chunk)
                total += len(chunk)
                if total > LARGEST:
                    raise ValueError(f"it unpacks to more than {LARGEST:,} bytes")
            found[_unused(name, found)] = Member(size, hasher.hexdigest())
    return found


def unpack(path: Path, kind: str, wanted: str, into: Path) -> None:
    """Write one member to a file.

    Args:
        path: The archive.
        kind: Its kind.
        wanted: The member, as :func:`members_of` names it.
        into: A new file.
    """
    seen: dict[str, None] = {}
    with _reading(path):
        for name, stream in _streams(path, kind):
            name = _unused(name, seen)
            seen[name] = None
            if name == wanted:
                with into.open("wb") as file:
                    for chunk in iter(lambda: stream.read(_READ), b""):  # noqa: B023
                        file.write(chunk)
                return


def _unused(name: str, taken: dict[str, Any]) -> str:
    number, unused = 2, name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused


def _streams(path: Path, kind: str) -> Iterator[tuple[str, IO[bytes]]]:
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith("/"):
                    with archive.open(entry) as stream:
                        yield entry.filename, stream
    elif kind == "tar":
        with tarfile.open(path, "r:") as packed:
            for info in packed:
                if info.isreg():
                    regular = packed.extractfile(info)
                    assert regular is not None  # noqa: S101 - a regular file always has content
                    yield info.name, regular
                elif not info.isdir():
                    yield info.name, io.BytesIO(f"{info.type!r} {info.linkname}".encode())
    else:
        with _OPENERS[kind](path) as stream:
            yield "what it holds", stream


_OPENERS: dict[str, Callable[[Path], Any]] = {
    "gzip": gzip.GzipFile,
    "bzip2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstandard": zstandard.open,
}
