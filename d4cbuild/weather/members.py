"""The files in an archive, by digest: to tell another wrapper from another content."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from d4cbuild.base.digest import CHUNK_BYTES, Digest, blake3_of_stream
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import Unavailable

LARGEST_INSIDE_BYTES: Final = LIMITS.inside_bytes
"""What is unpacked at most of one archive, in bytes."""

MOST_MEMBERS: Final = LIMITS.inside_members
ALONE: Final = "its content"
"""The name given to the one thing in a compressed file."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (
    EOFError, OSError, ValueError, zlib.error, lzma.LZMAError, tarfile.TarError,
    zipfile.BadZipFile, NotImplementedError, RuntimeError,
)  # fmt: skip
_COMPRESSED: Final[dict[bytes, Callable[[Path], Any]]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def members_of(path: Path) -> dict[str, Digest] | None:
    """Hash every file in a zip, a tar (compressed or not), or a compressed file.

    Args:
        path: The archive.

    Returns:
        Per name, the BLAKE3 of the file; a name that comes again gets a number. ``None`` if this
        is no archive.

    Raises:
        Unavailable: if it is an archive that cannot be read, or a far too large one.
    """
    found: dict[str, Digest] = {}
    budget = _Budget()
    try:
        for name, stream in _files(path):
            found[_unused(name, found)] = blake3_of_stream(budget.chunks(stream))
            if len(found) > MOST_MEMBERS:
                raise Unavailable(f"more than {MOST_MEMBERS} files in it", where=str(path))
    except _NoArchive:
        return None
    except _DAMAGED as error:
        raise Unavailable(f"an archive that cannot be read: {error}", where=str(path)) from error
    return found


class _NoArchive(Exception):
    pass


def _files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(path):
        yield from _in_zip(path)
    elif tarfile.is_tarfile(path):
        yield from _in_tar(path)
    else:
        yield from _in_compressed(path)


def _in_zip(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith("/"):
                continue
            # The module inflates the other methods without a bound on memory.
            if entry.compress_type not in _METHODS:
                raise NotImplementedError(f"{entry.filename} is packed with another method")
            with archive.open(entry) as stream:
                yield entry.filename, stream


def _in_tar(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            stream = archive.extractfile(entry) if entry.isreg() else None
            if stream is not None:
                yield entry.name, stream


def _in_compressed(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with path.open("rb") as stream:
        beginning = stream.read(8)
    for magic, opener in _COMPRESSED.items():
        if beginning.startswith(magic):
            with opener(path) as inside:
                yield ALONE, inside
            return
    raise _NoArchive


class _Budget:
    """What may still be unpacked of one archive."""

    def __init__(self) -> None:
        self._left = LARGEST_INSIDE_BYTES

    def chunks(self, stream: IO[bytes]) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK_BYTES):
            self._left -= len(chunk)
            if self._left < 0:
                raise ValueError(f"more than {LARGEST_INSIDE_BYTES} bytes in it")
            yield chunk


def _unused(name: str, found: dict[str, Digest]) -> str:
    number, unused = 1, name
    while unused in found:
        number += 1
        unused = f"{name} ({number})"
    return unused
