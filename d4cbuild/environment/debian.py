"""Reading Debian packages: an ``ar`` archive that holds two compressed tars. No dpkg needed."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

from d4cbuild.base.archive import is_clean_relative
from d4cbuild.base.limits import LIMITS
from d4cbuild.errors import InputError

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER_BYTES = 60
_MAXIMUM_CONTROL_BYTES = LIMITS.control_bytes
_Decompressed = lzma.LZMAFile | gzip.GzipFile | zstandard.ZstdDecompressionReader | BinaryIO


@dataclass(frozen=True, slots=True)
class Member:
    """One thing in a package's data.

    Attributes:
        path: Clean relative POSIX path.
        kind: ``directory``, ``file``, ``link`` (symbolic) or ``same`` (a second name of a file).
        executable: Whether anybody may run the file; nothing else of the mode is kept, so set-user
            bits never reach an image.
        target: What a link points to; for ``same`` the clean path of the first name.
        content: A file's bytes, to be read before the next member is asked for.
    """

    path: str
    kind: str
    executable: bool = False
    target: str = ""
    content: IO[bytes] | None = None


class _Window(io.RawIOBase):
    """A part of an open file, so that a decompressor stops at the end of its ``ar`` member."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


def control_of(path: Path, name: str) -> bytes:
    """Return the control paragraph of a package.

    Args:
        path: The ``.deb`` file.
        name: How to name the package in an error.

    Raises:
        InputError: if the file is not a Debian package.
    """
    with _tar_of(path, name, "control.tar") as archive:
        for info in archive:
            if info.name in ("control", "./control") and info.isreg():
                content = archive.extractfile(info)
                assert content is not None  # noqa: S101 - a regular file always has content
                return content.read(_MAXIMUM_CONTROL_BYTES)
    raise InputError(f"package {name} has no control file", where=str(path))


def members_of(path: Path, name: str) -> Iterator[Member]:
    """Yield what a package would put on a disk, in the package's order.

    Args:
        path: The ``.deb`` file.
        name: How to name the package in an error.

    Raises:
        InputError: if the file is not a Debian package, leaves its folder, or holds a device.
    """
    with _tar_of(path, name, "data.tar") as archive:
        for info in archive:
            relative = info.name.removeprefix("./").removeprefix("/")
            if relative in ("", "."):
                continue
            yield _member(archive, info, _clean(relative, name))


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo, path: str) -> Member:
    if info.isdir():
        return Member(path, "directory")
    if info.isreg():
        return Member(path, "file", bool(info.mode & 0o111), content=archive.extractfile(info))
    if info.issym():
        return Member(path, "link", target=info.linkname)
    if info.islnk():
        return Member(path, "same", target=_clean(info.linkname.removeprefix("./"), path))
    raise InputError(
        "a package holds something that is neither a folder, a file nor a link",
        found=f"tar type {info.type!r}",
        where=f"/{path}",
        hint="leave the package out, in `without`",
    )


def _clean(relative: str, name: str) -> str:
    if not is_clean_relative(relative):
        raise InputError(
            f"package {name} holds a path that leaves its folder",
            expected="relative paths without '..'",
            found=repr(relative),
        )
    return relative


@contextmanager
def unpacking(path: Path, name: str) -> Iterator[None]:
    """Say which package it is when its bytes cannot be unpacked.

    Also for those who read the content of members, which happens outside this module.
    """
    try:
        yield
    except (tarfile.TarError, lzma.LZMAError, zstandard.ZstdError, EOFError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
            raise  # the disk's fault, not the package's
        raise InputError(
            f"package {name} cannot be unpacked", found=str(error), where=str(path)
        ) from error


@contextmanager
def _tar_of(path: Path, name: str, wanted: str) -> Iterator[tarfile.TarFile]:
    with path.open("rb") as stream:
        suffix, size = _seek_member(stream, path, name, wanted)
        window = io.BufferedReader(_Window(stream, size), 1 << 20)
        with (
            unpacking(path, name),
            _decompressed(window, suffix, path) as plain,
            tarfile.open(fileobj=plain, mode="r|", encoding="utf-8") as archive,
        ):
            yield archive


def _decompressed(window: BinaryIO, suffix: str, path: Path) -> _Decompressed:
    if suffix == ".xz":
        return lzma.LZMAFile(window)
    if suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(window)
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=window)
    if suffix == "":
        return window
    raise InputError(
        "a package is compressed in a way not known here",
        expected="xz, zst or gz",
        found=suffix,
        where=str(path),
    )


def _seek_member(stream: BinaryIO, path: Path, name: str, wanted: str) -> tuple[str, int]:
    """Go to the start of a member; return what follows its wanted name, and its size in bytes."""
    if stream.read(len(_AR_MAGIC)) == _AR_MAGIC:
        while len(header := stream.read(_AR_HEADER_BYTES)) == _AR_HEADER_BYTES:
            member = header[:16].decode("latin-1").rstrip().rstrip("/")
            digits = header[48:58].strip()
            if header[58:] != b"`\n" or not digits.isdigit():
                break
            if member.startswith(wanted):
                return member.removeprefix(wanted), int(digits)
            stream.seek(int(digits) + int(digits) % 2, io.SEEK_CUR)
    raise InputError(
        f"package {name} is not a Debian package",
        expected=f"an ar archive with {wanted}.*",
        where=str(path),
    )
