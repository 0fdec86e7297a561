"""Tar archives with one byte string per content: sorted entries, one mtime, numeric owners."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 512
_MAXIMUM = 8**11
_OWNER = b"0000000\0" * 2
_REST = (b"ustar\x0000" + b"\0" * 255)[:255]


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One regular file of a canonical tar.

    Attributes:
        name: POSIX path, relative, UTF-8.
        data: The file's bytes.
        executable: Whether its owner may run it; nothing else of the mode is kept.
    """

    name: str
    data: bytes
    executable: bool = False


def tar_header(
    name: str,
    *,
    size: int = 0,
    mode: int = 0o644,
    kind: bytes = tarfile.REGTYPE,
    linkname: str = "",
    mtime_s: int = 0,
) -> bytes:
    """Return a header block in the one form used here.

    The POSIX (pax) format: plain ustar where the name fits, an extended header only where not.

    Args:
        name: Path in the archive.
        size: Bytes of data that follow.
        mode: Permission bits.
        kind: A type flag of :mod:`tarfile`.
        linkname: Target of a link.
        mtime_s: Modification time, seconds since the epoch.
    """
    path = f"{name}/" if kind == tarfile.DIRTYPE and not name.endswith("/") else name
    if _fits(path, size, mode, linkname, mtime_s):
        return _ustar_header(path.encode(), size, mode, kind, linkname.encode(), mtime_s)
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname = size, mode, kind, linkname
    info.mtime = mtime_s
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _fits(path: str, size: int, mode: int, linkname: str, mtime_s: int) -> bool:
    """Whether a plain header can say it: nearly always, and much faster than :mod:`tarfile`."""
    names = path.isascii() and linkname.isascii() and len(path) <= 100 and len(linkname) <= 100
    return names and 0 <= size < _MAXIMUM and 0 <= mtime_s < _MAXIMUM and 0 <= mode < 0o10000000


def _ustar_header(
    path: bytes, size: int, mode: int, kind: bytes, linkname: bytes, mtime_s: int
) -> bytes:
    first = b"%b%07o\0%b%011o\0%011o\0" % (path.ljust(100, b"\0"), mode, _OWNER, size, mtime_s)
    last = b"%b%b%b" % (kind, linkname.ljust(100, b"\0"), _REST)
    # The sum is that of the block with blanks in its own place.
    return b"%b%06o\0 %b" % (first, sum(first) + 8 * 0x20 + sum(last), last)


def padding(size: int) -> bytes:
    """Zeros up to the next block."""
    return b"\0" * (-size % BLOCK_BYTES)


END_OF_ARCHIVE = b"\0" * (2 * BLOCK_BYTES)


def canonical_tar(entries: Iterable[TarEntry], mtime_s: int = 0) -> Iterator[bytes]:
    """Yield the bytes of a tar of regular files.

    Entries are sorted by the UTF-8 bytes of their names; modes are 0644 or 0755; folders are not
    listed. The end is two zero blocks, with no padding to a record.
    """
    for entry in sorted(entries, key=lambda each: each.name.encode()):
        mode = 0o755 if entry.executable else 0o644
        yield tar_header(entry.name, size=len(entry.data), mode=mode, mtime_s=mtime_s)
        yield entry.data
        yield padding(len(entry.data))
    yield END_OF_ARCHIVE


def read_canonical_tar(data: bytes) -> list[TarEntry]:
    """Read what :func:`canonical_tar` wrote.

    Raises:
        ValueError: for anything in it that is not a regular file with a clean relative name.
    """
    entries: list[TarEntry] = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            if not info.isreg() or not is_clean_relative(info.name):
                raise ValueError(f"not a plain file inside the archive: {info.name!r}")
            content = archive.extractfile(info)
            assert content is not None  # noqa: S101 - a regular file always has content
            entries.append(TarEntry(info.name, content.read(), bool(info.mode & 0o100)))
    return entries


def is_clean_relative(name: str) -> bool:
    """Whether a POSIX path stays inside the folder it is put into, whatever is there."""
    parts = name.split("/")
    return bool(name) and "\0" not in name and not any(p in ("", ".", "..") for p in parts)
