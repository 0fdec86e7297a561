"""Files that are already on this machine: in the recipe's folder, or in a folder of copies."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from d4cbuild.base.archive import is_clean_relative
from d4cbuild.base.digest import FileDigests, MultiHasher
from d4cbuild.base.progress import Progress
from d4cbuild.errors import InputError, Unavailable
from d4cbuild.sources.origin import (
    CHUNK_BYTES,
    LARGEST_BODY_BYTES,
    NotThere,
    TooLarge,
    write_bounded,
)


class LocalOrigin:
    """A regular file under a folder. A symlink may lead to it, but not out of the folder.

    Args:
        folder: The folder.
        name: Path of the file in it, with ``/`` between the parts.

    Raises:
        InputError: if the path leaves the folder as it is written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        if not is_clean_relative(name):
            raise InputError(
                "a copy of a source lies outside the folder it should be in",
                expected="a path below the folder, without '..'",
                found=name,
                where=str(folder),
            )
        self._folder = folder
        self._name = name

    @property
    def path(self) -> Path:
        """The file, as it is named; links are not resolved."""
        return self._folder / self._name

    @property
    def where(self) -> str:
        """The file's path."""
        return str(self._folder / self._name)

    def fetch(self, into: Path, limit: int | None, progress: Progress, label: str) -> None:
        """Copy the file; see :meth:`d4cbuild.sources.origin.Origin.fetch`."""
        bound = LARGEST_BODY_BYTES if limit is None else limit
        with self._opened(bound) as descriptor:
            write_bounded(self._chunks(descriptor), into, bound, self.where, progress, label)

    def digests(self, limit: int) -> FileDigests:
        """Read the file where it lies.

        Args:
            limit: The most that is read, in bytes.

        Raises:
            Unavailable: if it cannot be read.
            TooLarge: if there are more than ``limit`` bytes.
        """
        hasher = MultiHasher()
        with self._opened(limit) as descriptor:
            for chunk in self._chunks(descriptor):
                hasher.update(chunk)
                if hasher.size > limit:
                    raise TooLarge(limit, self.where)
        return hasher.result()

    @contextmanager
    def _opened(self, limit: int) -> Iterator[int]:
        try:
            descriptor = self._open()
        except (OSError, RuntimeError) as error:  # pathlib calls a loop a RuntimeError
            kind = NotThere if isinstance(error, _NOT_THERE) else Unavailable
            raise kind(_reason(error), where=self.where) from error
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise Unavailable("not a regular file", where=self.where)
            if state.st_size > limit:
                raise TooLarge(limit, self.where, told=state.st_size)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        folder = self._folder.resolve(strict=True)
        real = (folder / self._name).resolve(strict=True)
        if not real.is_relative_to(folder):
            raise Unavailable(
                "a symlink leads out of the folder", found=str(real), where=self.where
            )
        # Without O_NONBLOCK, a pipe put in the file's place would hold the program for ever.
        return os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)

    def _chunks(self, descriptor: int) -> Iterator[bytes]:
        while True:
            try:
                chunk = os.read(descriptor, CHUNK_BYTES)
            except OSError as error:
                raise Unavailable(_reason(error), where=self.where) from error
            if not chunk:
                return
            yield chunk


_NOT_THERE = (FileNotFoundError, NotADirectoryError)


def _reason(error: OSError | RuntimeError) -> str:
    if isinstance(error, _NOT_THERE):
        return "no such file"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
