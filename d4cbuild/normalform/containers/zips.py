"""``d4c.zip/1``: sorted members, one time, one level, no extra fields."""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from d4cbuild.normalform.containers.blocks import BLOCK_BYTES
from d4cbuild.normalform.containers.kept import Kept
from d4cbuild.normalform.containers.members import check_count, listed, plain_name, shown
from d4cbuild.normalform.containers.zipwriter import Comment, ZipWriter

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
_DESCRIBED_AFTER = 0x8
_UTF8 = 0x800
_UNIX = 3
_UNICODE_NAME = 0x7075
_LOCAL_BYTES = 30
_ENTRY_BYTES = 46
_END_BYTES = 22
_ZIP64_END_BYTES = 56 + 20
_LONGEST_DESCRIPTOR = 24
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, ValueError, NotImplementedError, RuntimeError),
)
_READABLE = frozenset(
    {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
)


def rewrite_zip(source: Path, target: Path) -> None:
    """Write a zip in its one form.

    Args:
        source: Any zip.
        target: The file to write.

    Raises:
        Kept: if it cannot be rewritten without losing something.
    """
    try:
        with source.open("rb") as given, zipfile.ZipFile(given) as archive:
            check_count(len(archive.filelist))
            _check_tiling(given, archive)
            _check_end(given, archive)
            members = _members(archive)
            folders = [name.rstrip("/") for name in members if name.endswith("/")]
            names = listed((name for name in members if not name.endswith("/")), folders)
            with target.open("w+b") as made:
                writer = ZipWriter(made)
                for name in names:
                    _copy(archive, members[name], name, writer)
                writer.finish(archive.comment)
    except Kept:
        raise
    except _DAMAGE as error:
        raise Kept(f"it cannot be read as a zip: {error}") from error
    except OSError as error:
        # Damage within bzip2 has no number; a place outside of the file is invalid. The rest is
        # this machine's trouble, which must not decide what is written.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise Kept(f"it cannot be read as a zip: {error}") from error


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, writer: ZipWriter) -> None:
    def content() -> Iterator[bytes]:
        # Opened by its record: by name another of the same name might be found.
        with archive.open(info) as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block

    utf8 = bool(info.flag_bits & _UTF8) or not name.isascii()
    writer.add(name, _mode(info), Comment(info.comment, utf8), info.file_size, content)


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """All members by their plain names; those of folders end in a slash."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.filelist:
        raw = _name(info)
        _check_readable(info, raw)
        folder = "/" if raw.endswith("/") else ""
        if folder and info.file_size:
            raise Kept(f"the folder {shown(raw)} has content")
        name = plain_name(raw) + folder
        if name in members and not folder:
            raise Kept(f"several members are named {shown(name)}")
        members[name] = info
    return members


def _name(info: zipfile.ZipInfo) -> str:
    # Unlike the plain attribute, not cut at the first NUL.
    name = info.orig_filename
    if name.isascii() or info.flag_bits & _UTF8:
        return name
    # Info-ZIP says the name once more, in an extra field.
    extra, at = info.extra, 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_NAME and body[:5] == struct.pack("<BI", 1, zlib.crc32(_raw(info))):
            return body[5:].decode("utf-8", "surrogateescape")
        at += 4 + length
    if info.create_system == _UNIX:
        try:
            return _raw(info).decode()
        except UnicodeDecodeError:
            pass
    raise Kept(f"the encoding of the name {shown(name)} is not said")


def _raw(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _check_readable(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise Kept(f"the member {shown(name)} is encrypted")
    if info.compress_type not in _READABLE:
        raise Kept(f"the member {shown(name)} has compression method {info.compress_type}")
    wanted = (0, stat.S_IFDIR) if name.endswith("/") else (0, stat.S_IFREG, stat.S_IFLNK)
    if stat.S_IFMT(_unix(info)) not in wanted:
        raise Kept(f"{shown(name)} is neither file, folder nor link")


def _unix(info: zipfile.ZipInfo) -> int:
    return info.external_attr >> 16 if info.create_system == _UNIX else 0


def _mode(info: zipfile.ZipInfo) -> int:
    mode = _unix(info)
    if info.orig_filename.endswith("/"):
        return stat.S_IFDIR | 0o755
    if stat.S_ISLNK(mode):
        return stat.S_IFLNK | 0o777
    return stat.S_IFREG | (0o755 if mode & 0o100 else 0o644)


def _check_tiling(given: BinaryIO, archive: zipfile.ZipFile) -> None:
    """See to it that before the directory there is nothing but members, which do not overlap.

    A signature of the whole file or an index of blocks lies between members; it would be lost.
    """
    at = room = 0
    for info in sorted(archive.filelist, key=lambda each: each.header_offset):
        _check_gap(at, info.header_offset, room)
        given.seek(info.header_offset)
        header = given.read(_LOCAL_BYTES)
        name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
        at = info.header_offset + _LOCAL_BYTES + name_bytes + extra_bytes + info.compress_size
        room = _LONGEST_DESCRIPTOR if info.flag_bits & _DESCRIBED_AFTER else 0
    _check_gap(at, archive.start_dir, room)


def _check_end(given: BinaryIO, archive: zipfile.ZipFile) -> None:
    entries = sum(
        _ENTRY_BYTES + len(_raw(info)) + len(info.extra) + len(info.comment)
        for info in archive.filelist
    )
    rest = given.seek(0, 2) - archive.start_dir - entries - len(archive.comment)
    if rest not in (_END_BYTES, _END_BYTES + _ZIP64_END_BYTES):
        raise Kept("there are bytes beside its directory that belong to no member")


def _check_gap(at: int, found: int, room: int) -> None:
    if not at <= found <= at + room:
        raise Kept("there are bytes between its members that belong to none, or members overlap")
