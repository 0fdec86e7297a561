"""One file out of a zip that some other place serves."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from d4cbuild.base.progress import Progress
from d4cbuild.errors import Unavailable
from d4cbuild.sources.origin import CHUNK_BYTES, LARGEST_BODY_BYTES, Origin, TooLarge, write_bounded

_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}
_ENCRYPTED = 0x1
_NAMES_SHOWN = 12


class MemberOrigin:
    """A file in a zip.

    Args:
        archive: Where the zip is.
        member: The file's whole name in the zip, or its last part if only one file has it.

    Attributes:
        archive: Where the zip is.
        member: The file's name, as it was given.
    """

    def __init__(self, archive: Origin, member: str) -> None:
        self.archive = archive
        self.member = member

    @property
    def where(self) -> str:
        """The zip, and the file in it."""
        return f"{self.archive.where} ({self.member} in it)"

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:
        """Fetch the zip and unpack the file; see :meth:`d4cbuild.sources.origin.Origin.fetch`."""
        zipped = into.with_name(f"{into.name}.zip")
        try:
            self.archive.fetch(zipped, None, progress, f"{label} (zip)")
            self._unpack(zipped, into, LARGEST_BODY_BYTES if limit is None else limit, progress)
        finally:
            zipped.unlink(missing_ok=True)

    def _unpack(self, zipped: Path, into: Path, limit: int, progress: Progress) -> None:
        try:
            with zipfile.ZipFile(zipped) as archive:
                entry = entry_of(archive, self.member, self.where)
                if entry.file_size > limit:
                    raise TooLarge(limit, self.where, told=entry.file_size)
                chunks = self._chunks(archive, entry)
                write_bounded(chunks, into, limit, self.where, progress, entry.filename)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            with zipped.open("rb") as stream:
                beginning = stream.read(24)
            raise Unavailable(
                f"not a zip that can be read: {error}",
                found=f"{zipped.stat().st_size} bytes that begin with {beginning!r}",
                where=self.where,
            ) from error

    def _chunks(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        if entry.flag_bits & _ENCRYPTED:
            raise Unavailable("the file in the zip is encrypted", where=self.where)
        # The module inflates the other methods without a bound on memory.
        if entry.compress_type not in _METHODS:
            raise Unavailable(
                "the file in the zip is packed with a method that is not taken",
                expected=" or ".join(_METHODS.values()),
                found=f"method {entry.compress_type}",
                where=self.where,
            )
        try:
            stream = archive.open(entry)
        except OSError as error:  # the directory names a place that no file has
            raise Unavailable(f"the zip is damaged: {error.strerror}", where=self.where) from error
        with stream:
            while chunk := self._read(stream):
                yield chunk

    def _read(self, stream: IO[bytes]) -> bytes:
        try:
            return stream.read(CHUNK_BYTES)
        except (zlib.error, EOFError) as error:
            raise Unavailable(
                f"the file in the zip is damaged: {error or 'it ends early'}", where=self.where
            ) from error


def entry_of(archive: zipfile.ZipFile, member: str, where: str) -> zipfile.ZipInfo:
    """Find a file in a zip's directory.

    Args:
        archive: The zip.
        member: The file's whole name, or its last part if only one file has it.
        where: The zip, for the error.

    Raises:
        Unavailable: if there is no such file, or there are several.
    """
    files = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    matches = [entry for entry in files if entry.filename == member]
    if not matches:
        matches = [entry for entry in files if _last_part(entry.filename) == member]
    if len(matches) != 1:
        problem = "no file" if not matches else f"{len(matches)} files"
        raise Unavailable(
            f"the zip has {problem} named {member}",
            expected="one",
            found=_listing(matches or files),
            where=where,
            hint="write the whole name, as the zip has it, into the source's member",
        )
    return matches[0]


def _last_part(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


def _listing(entries: list[zipfile.ZipInfo]) -> str:
    names = [entry.filename for entry in entries]
    more = [f"and {len(names) - _NAMES_SHOWN} more"] if len(names) > _NAMES_SHOWN else []
    return "\n".join(names[:_NAMES_SHOWN] + more) or "an empty zip"
