"""The tars of a bundle: written from files of any size, read only if they are as we write them."""

from __future__ import annotations

import io
import tarfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from d4cbuild.base.archive import (
    BLOCK_BYTES,
    END_OF_ARCHIVE,
    TarEntry,
    is_clean_relative,
    padding,
    tar_header,
)
from d4cbuild.base.digest import CHUNK_BYTES
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

MAXIMUM_MEMBERS = LIMITS.archive_members
MAXIMUM_NAME_BYTES = LIMITS.path_bytes
MAXIMUM_PART_BYTES = LIMITS.name_bytes


@dataclass(frozen=True)
class Member:
    """A file of an archive.

    Attributes:
        name: POSIX path in the archive.
        size: Bytes.
        read: Gives its bytes in chunks, anew each time.
        executable: Whether its owner may run it.
    """

    name: str
    size: int
    read: Callable[[], Iterable[bytes]]
    executable: bool = False

    def data(self) -> bytes:
        """All its bytes."""
        return b"".join(self.read())


def of_entry(entry: TarEntry, below: str = "") -> Member:
    """A small file that is in memory.

    Args:
        entry: The file.
        below: The folder it goes into.
    """
    name = f"{below}/{entry.name}" if below else entry.name
    return Member(name, len(entry.data), lambda: (entry.data,), entry.executable)


def of_file(name: str, path: Path) -> Member:
    """A file on disk."""
    return Member(name, path.stat().st_size, lambda: chunks_of(path))


def chunks_of(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def archive(members: Iterable[Member], mtime_s: int) -> Iterator[bytes]:
    """Yield the bytes of a tar: its form is that of :func:`d4cbuild.base.archive.canonical_tar`.

    Args:
        members: Its files, in any order.
        mtime_s: Modification time of all, seconds since 1970.

    Raises:
        InputError: if a name could not be unpacked everywhere, or a file changes meanwhile.
    """
    names = _Names()
    for member in sorted(members, key=lambda each: each.name.encode()):
        if (fault := names.fault(member.name)) is not None:
            raise InputError(
                "a file cannot go into a bundle",
                expected=fault,
                found=repr(member.name),
                hint="rename it",
            )
        mode = 0o755 if member.executable else 0o644
        yield tar_header(member.name, size=member.size, mode=mode, mtime_s=mtime_s)
        left = member.size
        for chunk in member.read():
            left -= len(chunk)
            yield chunk
        if left != 0:
            raise InputError(
                "a file changed while it was read",
                expected=f"{member.size} bytes",
                found=f"{member.size - left} bytes",
                where=member.name,
                hint="try again",
            )
        yield padding(member.size)
    yield END_OF_ARCHIVE


def read_archive(path: Path) -> list[Member]:
    """List an archive that may come from anyone. Only the one form that is written is read.

    Every header is written again and compared, so there is no room for links, devices, absolute
    names, names given twice, or anything that two readers could take for two things.

    Args:
        path: The archive; it must stay as it is for as long as its members are read.

    Raises:
        InputError: saying what is not as it should be.
    """
    members: list[Member] = []
    names = _Names()
    with path.open("rb") as stream:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        mtime_s: int | None = None
        while (info := _next_header(stream, path)) is not None:
            mtime_s = abs(int(info.mtime)) if mtime_s is None else mtime_s
            if not info.isreg() or info.mode not in (0o644, 0o755) or info.mtime != mtime_s:
                raise _wrong(path, "plain files, of one time and usual modes", repr(info.name))
            if (fault := names.fault(info.name)) is not None:
                raise _wrong(path, fault, repr(info.name[:MAXIMUM_PART_BYTES]))
            start = stream.tell()
            if start + info.size > size or len(members) >= MAXIMUM_MEMBERS:
                raise _wrong(path, f"at most {MAXIMUM_MEMBERS} files, whole", repr(info.name))
            executable = bool(info.mode & 0o100)
            members.append(_member(path, info.name, start, info.size, executable=executable))
            stream.seek(start + info.size)
            if stream.read(-info.size % BLOCK_BYTES).strip(b"\0"):
                raise _wrong(path, "zeros after a file", repr(info.name))
        if stream.read(BLOCK_BYTES + 1) != END_OF_ARCHIVE[BLOCK_BYTES:]:
            raise _wrong(path, "two blocks of zeros at the end, and nothing more", "other bytes")
    return members


def _next_header(stream: BinaryIO, path: Path) -> tarfile.TarInfo | None:
    """Read the next header as tar readers do, and insist that it is written as we write it."""
    start = stream.tell()
    block = stream.read(BLOCK_BYTES)
    if block == b"\0" * BLOCK_BYTES:
        return None
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if info.type == tarfile.XHDTYPE:
            if not 0 < info.size <= 4 * MAXIMUM_NAME_BYTES:
                raise _wrong(path, "names of a sane length", f"{info.size} bytes of them")
            rest = stream.read(-(-info.size // BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES)
            with tarfile.open(fileobj=io.BytesIO(block + rest), mode="r:") as one:
                info = one.firstmember or info  # type: ignore[attr-defined]
        again = tar_header(info.name, size=info.size, mode=info.mode, mtime_s=int(info.mtime))
    except (tarfile.TarError, ValueError, OverflowError) as error:
        # Numbers in extended headers may be anything: text, infinite, negative.
        raise _wrong(path, "the header of a file", str(error)) from error
    raw_length = stream.tell() - start
    stream.seek(start)
    if info.size < 0 or stream.read(raw_length) != again:
        raise _wrong(path, "a header as d4cbuild writes it", repr(info.name))
    return info


class _Names:
    """The names of an archive, in their order: none may be taken for another anywhere.

    Some file systems know no difference between upper and lower case, or between ways to write an
    accent; some take a backslash for a slash.
    """

    def __init__(self) -> None:
        self._last = b""
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def fault(self, name: str) -> str | None:
        """What the next name should be and is not; ``None`` if nothing is wrong with it."""
        try:
            raw = name.encode()
        except UnicodeError:
            return "names in UTF-8"
        if not name.isprintable() or "\\" in name or not is_clean_relative(name):
            return "names that stay inside"
        parts = name.split("/")
        if len(raw) > MAXIMUM_NAME_BYTES or max(map(_length, parts)) > MAXIMUM_PART_BYTES:
            return f"names of at most {MAXIMUM_NAME_BYTES} bytes, {MAXIMUM_PART_BYTES} in a part"
        folded = _folded(name).split("/")
        above = ["/".join(folded[:count]) for count in range(1, len(folded))]
        whole = "/".join(folded)
        clash = whole in self._files or whole in self._folders
        if raw <= self._last or clash or not self._files.isdisjoint(above):
            return "names in order, each once, however case and accents are read"
        self._last = raw
        self._files.add(whole)
        self._folders.update(above)
        return None


def _length(part: str) -> int:
    return len(part.encode())


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _member(path: Path, name: str, start: int, size: int, *, executable: bool) -> Member:
    def read() -> Iterator[bytes]:
        left = size
        with path.open("rb", buffering=0) as stream:
            stream.seek(start)
            while left and (chunk := stream.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    return Member(name, size, read, executable)


def _wrong(path: Path, expected: str, found: str) -> InputError:
    return InputError(
        "an archive of the bundle is not as d4cbuild writes it",
        expected=expected,
        found=found,
        where=str(path),
        hint="take the bundle from another place",
    )
