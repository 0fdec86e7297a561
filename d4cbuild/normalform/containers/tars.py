"""``d4c.tar/1``: sorted members, one time, no owners."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from d4cbuild.normalform.containers.blocks import read_blocks
from d4cbuild.normalform.containers.kept import Kept
from d4cbuild.normalform.containers.members import check_count, listed, plain_name, shown

BLOCK = 512
END = b"\0" * (2 * BLOCK)
_FILES = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})

# What a pax header may say that is in the one form anyway, or is not part of the content.
_PASSED_OVER = frozenset(
    {
        *("path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime"),
        *("comment", "hdrcharset", "charset", "LIBARCHIVE.creationtime"),
        *("SCHILY.dev", "SCHILY.ino", "SCHILY.nlink"),
    }
)


@dataclass(frozen=True, slots=True)
class _Member:
    at: int
    size: int
    executable: bool
    link: str | None = None


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is a tar: its first header has the checksum it says."""
    try:
        return bool(tarfile.TarInfo.frombuf(head[:BLOCK], "utf-8", "surrogateescape").name)
    except tarfile.TarError:
        return False


def rewrite_tar(source: Path, target: Path) -> None:
    """Write a tar in its one form.

    Args:
        source: Any tar, not compressed.
        target: The file to write.

    Raises:
        Kept: if it cannot be rewritten without losing something.
    """
    with source.open("rb") as given:
        files, folders = _read(given)
        names = listed(files, folders)
        with target.open("wb") as made:
            for name in names:
                made.write(_header(name, files.get(name)))
                member = files.get(name)
                if member is not None and member.link is None:
                    for block in read_blocks(given, member.at, member.size):
                        made.write(block)
                    made.write(b"\0" * (-member.size % BLOCK))
            made.write(END)


def _read(given: BinaryIO) -> tuple[dict[str, _Member], list[str]]:
    files: dict[str, _Member] = {}
    folders: list[str] = []
    try:
        with tarfile.open(fileobj=given, mode="r:", encoding="utf-8") as archive:
            for count, info in enumerate(_infos(archive), start=1):
                check_count(count)
                name = plain_name(info.name)
                _check_attributes(info)
                if info.isdir():
                    folders.append(name)
                elif name in files:
                    raise Kept(f"several members are named {shown(name)}")
                else:
                    files[name] = _member(info, files)
            _check_end(given, archive.offset)
    except (tarfile.TarError, ValueError, OverflowError) as error:
        if isinstance(error, Kept):
            raise
        raise Kept(f"it cannot be read as a tar: {error}") from error
    return files, folders


def _infos(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        # It would keep them all, at a kilobyte each.
        archive.members = []  # type: ignore[attr-defined]
        yield info


def _member(info: tarfile.TarInfo, files: dict[str, _Member]) -> _Member:
    if info.type in _FILES:
        return _Member(info.offset_data, info.size, bool(info.mode & 0o100))
    if info.issym():
        try:
            info.linkname.encode()
        except UnicodeEncodeError as error:
            raise Kept(f"the link {shown(info.name)} leads to a name that is not UTF-8") from error
        return _Member(0, 0, False, info.linkname)
    if info.islnk():
        first = files.get(plain_name(info.linkname))
        if first is None:
            raise Kept(f"the hard link {shown(info.name)} comes before what it leads to")
        return first
    raise Kept(f"{shown(info.name)} is neither file, folder nor link")


def _check_attributes(info: tarfile.TarInfo) -> None:
    unknown = sorted(set(info.pax_headers) - _PASSED_OVER)
    if unknown:
        raise Kept(f"{shown(info.name)} has the attribute {shown(unknown[0])}")


def _check_end(given: BinaryIO, at: int) -> None:
    given.seek(at)
    while block := given.read(1 << 20):
        if block.strip(b"\0"):
            raise Kept("there are bytes after its end, or a damaged header")


def _header(name: str, member: _Member | None) -> bytes:
    info = tarfile.TarInfo(name)
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    if member is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif member.link is not None:
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, member.link
    else:
        info.size, info.mode = member.size, 0o755 if member.executable else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
